package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"carrel/broker/problem"
	"carrel/policy"
)

// Account is one entry of the directory. The names are shown to people and go nowhere else: not into logs, tokens or the audit log.
type Account struct {
	ID          string   `json:"id"`
	NameZH      string   `json:"name_zh"`
	NameEN      string   `json:"name_en"`
	Roles       []string `json:"roles"`
	Institution string   `json:"institution"`
	Region      string   `json:"region,omitempty"`
	// Salt and Hash are argon2id of the password (t=2, m=19 MiB, p=1: OWASP's second choice).
	Salt []byte `json:"salt"`
	Hash []byte `json:"hash"`
}

// argon2id's parameters and the brake on guessing.
const (
	argonTime    = 2
	argonKiB     = 19 << 10
	argonThreads = 1
	argonLen     = 32
	maxPassword  = 256
	maxWrong     = 5
	wrongPause   = 30 * time.Second
	parallelHash = 2 // bounds the memory that logins can take: 38 MiB
)

// Directory holds the accounts. It is safe for concurrent use.
type Directory struct {
	accounts map[string]Account
	dummy    Account // hashed when the account is unknown, so that time does not tell
	slots    chan struct{}
	mandates Mandates

	mu    sync.Mutex
	wrong map[string]failures
}

type failures struct {
	n     int
	until time.Time
}

// Mandates knows what accounts hold for a time: the mandate, and the posts that it brings beside those of deputies (broker/board).
// It is asked at every request, so that what is over is over at the next one.
type Mandates interface {
	Of(account string) (policy.Mandate, []string)
}

// System stands in decisions and in the log for the service itself, which takes by it the steps that time brings; nobody logs in as it.
const System = "system"

// NewDirectory makes a directory of these accounts; at most one source of mandates may be given.
func NewDirectory(accounts []Account, mandates ...Mandates) (*Directory, error) {
	d := &Directory{accounts: map[string]Account{}, slots: make(chan struct{}, parallelHash), wrong: map[string]failures{}}
	if len(mandates) > 0 {
		d.mandates = mandates[0]
	}
	for _, a := range accounts {
		if _, twice := d.accounts[a.ID]; twice || a.ID == "" || len(a.Roles) == 0 || a.Institution == "" || len(a.Hash) != argonLen {
			return nil, fmt.Errorf("auth: account %q is incomplete or there twice", a.ID)
		}
		if a.ID == System {
			return nil, fmt.Errorf("auth: the account %q is the service's own, and nobody's", a.ID)
		}
		d.accounts[a.ID] = a
	}
	d.dummy = Account{Salt: make([]byte, 16), Hash: make([]byte, argonLen)}
	return d, nil
}

// LoadDirectory reads the accounts file that WriteDemo wrote.
func LoadDirectory(name string, mandates ...Mandates) (*Directory, error) {
	if err := private(name); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(name) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("auth: read accounts: %w", err)
	}
	var accounts []Account
	if err := json.Unmarshal(raw, &accounts); err != nil {
		return nil, errors.New("auth: the accounts file is not JSON of accounts")
	}
	return NewDirectory(accounts, mandates...)
}

// Identity is who an account is now, with what it holds for a time; false when there is none.
func (d *Directory) Identity(account string) (Identity, bool) {
	id, ok := d.Own(account)
	if !ok || d.mandates == nil {
		return id, ok
	}
	var posts []string
	id.Mandate, posts = d.mandates.Of(account)
	id.Mandate.Deputies = slices.DeleteFunc(slices.Clone(id.Mandate.Deputies), func(p policy.Deputy) bool { return !d.stands(p, id.Institution) })
	for _, p := range id.Mandate.Deputies {
		posts = append(posts, p.Role)
	}
	for _, role := range posts {
		if !slices.Contains(id.Roles, role) {
			id.Roles = append(id.Roles, role)
		}
	}
	return id, true
}

// stands says whether there is still somebody of that house who holds the post that a deputy holds for him.
func (d *Directory) stands(p policy.Deputy, house string) bool {
	own, ok := d.Own(p.For)
	return ok && own.Institution == house && slices.Contains(own.Roles, p.Role)
}

// Own is an account with the posts of its own alone.
func (d *Directory) Own(account string) (Identity, bool) {
	a, ok := d.accounts[account]
	if !ok {
		return Identity{}, false
	}
	return Identity{Account: a.ID, Roles: slices.Clone(a.Roles), Institution: a.Institution, Region: a.Region}, true
}

// Accounts are all accounts as they are now, by number.
func (d *Directory) Accounts() []Identity {
	out := make([]Identity, 0, len(d.accounts))
	for _, account := range slices.Sorted(maps.Keys(d.accounts)) {
		id, _ := d.Identity(account)
		out = append(out, id)
	}
	return out
}

// Name is an account's name for pages, in Chinese and English; the id itself when it is unknown.
func (d *Directory) Name(account string) (zh, en string) {
	a, ok := d.accounts[account]
	if !ok {
		return account, account
	}
	return a.NameZH, a.NameEN
}

// check verifies a password. All failures are one answer; only a full queue of logins says "later".
func (d *Directory) check(ctx context.Context, account string, password Secret, now time.Time) (Identity, error) {
	if len(password) > maxPassword || len(account) > maxPassword {
		return Identity{}, wrongLogin()
	}
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		return Identity{}, problem.Wrap(ctx.Err(), problem.Unavailable, "登录排队中；请稍后再试。", "Too many log-ins at once; try again later.")
	}
	a, known := d.accounts[account]
	if !known {
		a = d.dummy
	}
	waiting := d.waiting(account, now)
	same := subtle.ConstantTimeCompare(hash(password, a.Salt), a.Hash) == 1
	if !known || waiting || !same {
		if known {
			d.count(account, now)
		}
		return Identity{}, wrongLogin()
	}
	d.mu.Lock()
	delete(d.wrong, account)
	d.mu.Unlock()
	id, _ := d.Identity(account)
	return id, nil
}

func (d *Directory) waiting(account string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return now.Before(d.wrong[account].until)
}

// count notes a wrong password; after maxWrong of them the account waits, and the count starts over.
func (d *Directory) count(account string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.wrong[account]
	if now.Before(f.until) {
		return // guesses while waiting do not prolong it: else anybody could lock an account for good
	}
	f.n++
	if f.n >= maxWrong {
		f = failures{until: now.Add(wrongPause)}
	}
	d.wrong[account] = f
}

func wrongLogin() error {
	return problem.New(problem.Unauthenticated, "账号或密码不正确；若多次输错，请半分钟后再试。",
		"The account or the password is wrong; after several wrong ones wait half a minute.")
}

func hash(password Secret, salt []byte) []byte {
	return argon2.IDKey([]byte(password.Reveal()), salt, argonTime, argonKiB, argonThreads, argonLen)
}

// NewAccount fills in salt and hash for a fresh random password of 96 bits, which it returns and nobody keeps.
func NewAccount(a Account) (Account, Secret) {
	raw := make([]byte, 12)
	_, _ = rand.Read(raw) // never fails since Go 1.24
	password := Secret(base64.RawURLEncoding.EncodeToString(raw))
	a.Salt = make([]byte, 16)
	_, _ = rand.Read(a.Salt)
	a.Hash = hash(password, a.Salt)
	return a, password
}

// Login is a demo account with the password that is printed once.
type Login struct {
	Account     string
	NameZH      string
	NameEN      string
	Roles       []string
	Institution string
	Password    Secret
}

// WriteDemo makes the demo accounts with fresh passwords, writes them (hashed, mode 0600) to name and returns the log-ins.
func WriteDemo(name string) ([]Login, error) {
	var accounts []Account
	var logins []Login
	for _, a := range DemoAccounts() {
		a, password := NewAccount(a)
		accounts = append(accounts, a)
		logins = append(logins, Login{Account: a.ID, NameZH: a.NameZH, NameEN: a.NameEN, Roles: a.Roles, Institution: a.Institution, Password: password})
	}
	raw, err := json.MarshalIndent(accounts, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("auth: encode accounts: %w", err)
	}
	return logins, writeFile(name, append(raw, '\n'))
}

// DemoAccounts are the made-up people of the demo city, without passwords. One person holds one role, but for the owner's
// signatory, who is also the steward.
func DemoAccounts() []Account {
	const (
		region     = "510000"
		university = "jinhe-university"
		commission = "jinhe-health-commission"
		centre     = "jinhe-qc-centre"
		operator   = "jinhe-health-information-centre"
		hospital   = "jinhe-first-hospital"
	)
	return []Account{
		{ID: "li", NameZH: "李明", NameEN: "Li Ming", Roles: []string{"researcher"}, Institution: university, Region: region},
		{ID: "wang", NameZH: "王芳", NameEN: "Wang Fang", Roles: []string{"researcher"}, Institution: university, Region: region},
		{ID: "chen", NameZH: "陈静", NameEN: "Chen Jing", Roles: []string{"reviewer-ethics"}, Institution: commission, Region: region},
		{ID: "zhao", NameZH: "赵强", NameEN: "Zhao Qiang", Roles: []string{"reviewer-confidentiality"}, Institution: commission, Region: region},
		{ID: "qian", NameZH: "钱伟", NameEN: "Qian Wei", Roles: []string{"reviewer-security-risk"}, Institution: commission, Region: region},
		{ID: "sun", NameZH: "孙丽", NameEN: "Sun Li", Roles: []string{"reviewer-privacy-impact"}, Institution: commission, Region: region},
		{ID: "bai", NameZH: "白雪", NameEN: "Bai Xue", Roles: []string{"reviewer-ethics"}, Institution: hospital, Region: region},
		{ID: "mei", NameZH: "梅兰", NameEN: "Mei Lan", Roles: []string{"reviewer-ethics"}, Institution: commission, Region: region},
		{ID: "meng", NameZH: "孟凡", NameEN: "Meng Fan", Roles: []string{"reviewer-ethics"}, Institution: hospital, Region: region},
		{ID: "gong", NameZH: "龚远", NameEN: "Gong Yuan", Roles: []string{"reviewer-ethics"}, Institution: commission, Region: region},
		{ID: "qin", NameZH: "秦岚", NameEN: "Qin Lan", Roles: []string{"reviewer-qc"}, Institution: commission, Region: region},
		{ID: "lin", NameZH: "林涛", NameEN: "Lin Tao", Roles: []string{"reviewer-integrity"}, Institution: commission, Region: region},
		{ID: "jiang", NameZH: "江帆", NameEN: "Jiang Fan", Roles: []string{"reviewer-scientific"}, Institution: hospital, Region: region},
		{ID: "yu", NameZH: "于洁", NameEN: "Yu Jie", Roles: []string{"reviewer-genetic"}, Institution: commission, Region: region},
		{ID: "kong", NameZH: "孔明", NameEN: "Kong Ming", Roles: []string{"reviewer-confidentiality"}, Institution: commission, Region: region},
		{ID: "cao", NameZH: "曹阳", NameEN: "Cao Yang", Roles: []string{"reviewer-security-risk"}, Institution: commission, Region: region},
		{ID: "tao", NameZH: "陶然", NameEN: "Tao Ran", Roles: []string{"reviewer-privacy-impact"}, Institution: commission, Region: region},
		{ID: "xu", NameZH: "徐静", NameEN: "Xu Jing", Roles: []string{"authority"}, Institution: commission, Region: region},
		{ID: "an", NameZH: "安宁", NameEN: "An Ning", Roles: []string{"security-department"}, Institution: "jinhe-cyberspace-administration", Region: region},
		{ID: "zhou", NameZH: "周建国", NameEN: "Zhou Jianguo", Roles: []string{"authority"}, Institution: commission, Region: region},
		{ID: "wu", NameZH: "吴敏", NameEN: "Wu Min", Roles: []string{"owner", "steward"}, Institution: commission, Region: region},
		{ID: "zheng", NameZH: "郑洁", NameEN: "Zheng Jie", Roles: []string{"qc-director"}, Institution: centre, Region: region},
		{ID: "feng", NameZH: "冯磊", NameEN: "Feng Lei", Roles: []string{"qc-staff"}, Institution: centre, Region: region},
		{ID: "yan", NameZH: "严正", NameEN: "Yan Zheng", Roles: []string{"auditor"}, Institution: commission, Region: region},
		{ID: "shi", NameZH: "石磊", NameEN: "Shi Lei", Roles: []string{"sysadmin"}, Institution: operator, Region: region},
		{ID: "he", NameZH: "何平", NameEN: "He Ping", Roles: []string{"discipline"}, Institution: commission, Region: region},
		{ID: "tang", NameZH: "唐宁", NameEN: "Tang Ning", Roles: []string{"conduct-officer"}, Institution: operator, Region: region},
		{ID: "ren", NameZH: "任杰", NameEN: "Ren Jie", Roles: []string{"owner"}, Institution: hospital, Region: region},
		{ID: "pan", NameZH: "潘悦", NameEN: "Pan Yue", Roles: []string{"reviewer-confidentiality"}, Institution: hospital, Region: region},
		{ID: "jin", NameZH: "金波", NameEN: "Jin Bo", Roles: []string{"reviewer-security-risk"}, Institution: hospital, Region: region},
		{ID: "wen", NameZH: "温岚", NameEN: "Wen Lan", Roles: []string{"reviewer-privacy-impact"}, Institution: hospital, Region: region},
		{ID: "liang", NameZH: "梁红", NameEN: "Liang Hong", Roles: []string{"host"}, Institution: hospital, Region: region},
		{ID: "luo", NameZH: "罗平", NameEN: "Luo Ping", Roles: []string{"processor"}, Institution: "jinhe-data-laboratory", Region: region},
		{ID: "sheng", NameZH: "盛岚", NameEN: "Sheng Lan", Roles: []string{"supervisor"}, Institution: "sichuan-health-commission", Region: region},
		{ID: "fang", NameZH: "方华", NameEN: "Fang Hua", Roles: []string{"resident"}, Institution: "jinhe-residents", Region: region},
	}
}
