package httpapi_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/jinhe"
	"carrel/broker/notice"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
	"carrel/policies"
	"carrel/policy"
	"carrel/policy/opa"
)

// days are the dates that conversations speak of, from today.
func days() map[string]string {
	out := map[string]string{}
	for name, n := range map[string]int{"yesterday": -1, "today": 0, "later": 30, "far": 360} {
		out[name] = string(policy.DateOf(time.Now().AddDate(0, 0, n)))
	}
	return out
}

// postbox keeps the codes that a service mails.
type postbox chan string

var digits = regexp.MustCompile(`[0-9]{6,}`)

func (p postbox) Send(_ context.Context, m notice.Mail) error {
	if code := digits.FindString(m.Body); code != "" {
		p <- code
	}
	return nil
}

// code waits for what is mailed as a code.
func (k *talk) code(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case code := <-k.box:
		return code
	case <-ctx.Done():
		t.Fatal("no code was mailed")
		return ""
	}
}

// resident is the number of the document of somebody who lives in the city and is on no list of objections.
func resident(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	servicetest.Must(t, jinhe.Generate(t.Context(), jinhe.Options{Persons: servicetest.Persons, Seed: 7, Dir: dir}))
	table := func(name string, columns ...string) [][]string {
		raw, err := os.ReadFile(filepath.Join(dir, name+".csv"))
		servicetest.Must(t, err)
		all, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
		servicetest.Must(t, err)
		var out [][]string
		for _, r := range all[1:] {
			var row []string
			for _, c := range columns {
				row = append(row, r[slices.Index(all[0], c)])
			}
			out = append(out, row)
		}
		return out
	}
	out := map[string]bool{}
	for _, r := range table("objections", "person_no") {
		out[r[0]] = true
	}
	for _, p := range table("person", "person_no", "id_number", "id_is_guardians", "birth_date") {
		if !out[p[0]] && p[2] == "0" && len(p[1]) == 18 && p[3] < "1990" {
			return p[1]
		}
	}
	t.Fatal("nobody has a document")
	return ""
}

// ruleset puts a key on record and returns a bundle, signed with it, under which nobody may ask for the service's health.
func (k *talk) ruleset(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	servicetest.Must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	servicetest.Must(t, err)
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	servicetest.Must(t, err)
	file := filepath.Join(k.city.Config.Data, "keys", "policy.pub.pem")
	servicetest.Must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600))
	dir := fstest.MapFS{}
	servicetest.Must(t, fs.WalkDir(policies.FS(), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := fs.ReadFile(policies.FS(), path)
		dir[path] = &fstest.MapFile{Data: bytes.Replace(body, []byte(`"GET /healthz": "health.read",`), []byte(`"GET /healthz": "nobody.knocks",`), 1)}
		return err
	}))
	var out bytes.Buffer
	_, err = opa.WriteBundle(&out, dir, "2026.2", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	servicetest.Must(t, err)
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

// again proposes the extract that is current as the dataset's next version.
func (k *talk) again(t *testing.T) {
	t.Helper()
	var e *catalogue.Entry
	servicetest.Must(t, k.city.Desk.Store.View(t.Context(), func(tx *store.Tx) error {
		var err error
		e, _, err = k.city.Catalogue.Get(t.Context(), act.CatalogueTx{Tx: tx}, jinhe.Dataset)
		return err
	}))
	_, err := k.city.Propose(t.Context(), k.city.Who(t, "wu"), jinhe.Dataset, filepath.Join(k.city.Config.Data, e.Current.Dir), nil)
	servicetest.Must(t, err)
}

// heir opens a second, empty service beside the city, where erbin is steward and signatory of the unit that takes over.
func (k *talk) heir(t *testing.T) {
	t.Helper()
	c := &servicetest.City{
		Config:    service.Config{Data: filepath.Join(t.TempDir(), "data"), Sandbox: servicetest.Sandbox(t), Name: "carrel.example/heir", Logger: slog.New(slog.DiscardHandler)},
		Passwords: map[string]string{},
	}
	logins, err := service.Init(c.Config.Data)
	servicetest.Must(t, err)
	for _, l := range logins {
		c.Passwords[l.Account] = l.Password.Reveal()
	}
	file := filepath.Join(c.Config.Data, "keys", "accounts.json")
	raw, err := os.ReadFile(file)
	servicetest.Must(t, err)
	var accounts []auth.Account
	servicetest.Must(t, json.Unmarshal(raw, &accounts))
	a, password := auth.NewAccount(auth.Account{ID: "erbin", NameZH: "接收人", NameEN: "Heir", Roles: []string{"owner", "steward"}, Institution: "jinhe-successor", Region: "519900"})
	c.Passwords["erbin"] = password.Reveal()
	raw, err = json.Marshal(append(accounts, a))
	servicetest.Must(t, err)
	servicetest.Must(t, os.WriteFile(file, raw, 0o600))
	c.Service, err = service.Open(t.Context(), c.Config)
	servicetest.Must(t, err)
	t.Cleanup(func() { servicetest.Must(t, c.Close()) })
	h, err := c.Handler()
	servicetest.Must(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	k.other, k.otherBase = c, server.URL
}

// carry copies the extracts of the transfer that was listed to the heir, as operators do by other means.
func (k *talk) carry(t *testing.T) {
	t.Helper()
	servicetest.Must(t, servicetest.CopyDir(filepath.Join(k.city.Config.Data, "transfers"), filepath.Join(k.other.Config.Data, "transfers")))
}

// house is the service that an account belongs to: erbin@heir is of the second one.
func (k *talk) house(as string) (account string, city *servicetest.City, base string) {
	if account, ok := strings.CutSuffix(as, "@heir"); ok {
		return account, k.other, k.otherBase
	}
	return as, k.city, k.base
}
