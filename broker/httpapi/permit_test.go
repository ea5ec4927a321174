package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"carrel/broker/auth"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/policy"
)

// reply sends a body that has to be answered with this status.
func (b *bait) reply(account, method, path string, body any, status int) []byte {
	b.t.Helper()
	raw, err := json.Marshal(body)
	servicetest.Must(b.t, err)
	rec := b.send(account, method, "/api/v1"+path, raw)
	if rec.Code != status {
		b.t.Errorf("%s %s as %s: %d %.300s", method, path, account, rec.Code, rec.Body)
	}
	return rec.Body.Bytes()
}

func (b *bait) permit(account, grant string) string {
	b.t.Helper()
	token, err := member(b.reply(account, http.MethodPost, "/grants/"+grant+"/permit", map[string]any{}, http.StatusOK), "token")
	servicetest.Must(b.t, err)
	return token
}

func (b *bait) standing(token string) string {
	b.t.Helper()
	state, err := member(b.reply("shi", http.MethodPost, "/permits/status", map[string]any{"token": token}, http.StatusOK), "state")
	servicetest.Must(b.t, err)
	return state
}

// TestPermitsAndVisas: only the very permit that was signed, for whom it was signed, under its key on record and while its grant is active,
// is good and becomes visas; the key that signs may change in between. Whatever else is shown is unknown, and gives no visa.
func TestPermitsAndVisas(t *testing.T) {
	t.Parallel()
	b := newBait(t)
	token := b.permit("li", b.city.Grant)
	others, err := auth.OpenKeys(filepath.Join(t.TempDir(), "keys"))
	servicetest.Must(t, err)
	sign := func(name, audience string, keys auth.KeySource, at time.Duration) string {
		p, err := auth.NewPermits(name, audience, keys, func() time.Time { return time.Now().Add(at) })
		servicetest.Must(t, err)
		_, x, err := p.Sign(auth.Permit{Subject: "li", Grant: b.city.Grant, Project: b.city.Application, Kind: "query", Purpose: "research", Datasets: []string{"jinhe"},
			Columns: []string{"person.sex"}, Epsilon: "4"}, time.Hour)
		servicetest.Must(t, err)
		return x.Reveal()
	}
	const name = "carrel.example/jinhe"
	session := b.tokens["li"]
	visas := b.reply("li", http.MethodPost, "/permits/visas", map[string]any{"token": token}, http.StatusOK)
	visa, err := member(visas, "visas.0")
	servicetest.Must(t, err)
	passport, err := member(visas, "passport")
	servicetest.Must(t, err)
	for what, bad := range map[string]string{
		"another key": sign(name, service.Audience, others, 0), "another audience": sign(name, "elsewhere", b.city.Keys, 0), "another issuer": sign("elsewhere.example", service.Audience, b.city.Keys, 0),
		"never issued": sign(name, service.Audience, b.city.Keys, 0), "not yet valid": sign(name, service.Audience, b.city.Keys, 10*time.Minute),
		"alg none": recoded(t, token, 0, "alg", "none"), "alg HS256": recoded(t, token, 0, "alg", "HS256"), "a key along": recoded(t, token, 0, "jku", "https://evil.example/keys"),
		"another type": recoded(t, token, 0, "typ", "JWT"), "another subject": recoded(t, token, 1, "sub", "hu"), "one letter": flip(token), "no signature": token[:strings.LastIndexByte(token, '.')+1],
		"secret is public": hmacWithPublicKey(t, b.city, token), "a session": session, "a visa": visa, "a passport": passport, "words": "let me in",
	} {
		if got := b.standing(bad); got != "unknown" {
			t.Errorf("%s is %s", what, got)
		}
		if rec := b.send("li", http.MethodPost, "/api/v1/permits/visas", []byte(fmt.Sprintf(`{"token":%q}`, bad))); rec.Code/100 != 4 || strings.Contains(rec.Body.String(), "eyJ") {
			t.Errorf("%s gives visas: %d %.200s", what, rec.Code, rec.Body)
		}
	}
	for _, other := range []string{"wang", "feng", "zhou", "shi"} {
		if rec := b.send(other, http.MethodPost, "/api/v1/permits/visas", []byte(fmt.Sprintf(`{"token":%q}`, token))); rec.Code/100 != 4 {
			t.Errorf("%s gets visas of another's permit: %d", other, rec.Code)
		}
	}
	// A new key signs from now on; what the old one signed still verifies, here and under the key set.
	servicetest.Must(t, b.city.Keys.Rotate())
	if got := b.standing(token); got != "active" {
		t.Errorf("after the key changed the permit is %s", got)
	}
	later := b.reply("li", http.MethodPost, "/permits/visas", map[string]any{"token": token}, http.StatusOK)
	newer, err := member(later, "visas.0")
	servicetest.Must(t, err)
	set, err := auth.ParseKeySet(b.reply("", http.MethodGet, "/keys", nil, http.StatusOK))
	servicetest.Must(t, err)
	kids := map[any]bool{}
	for _, raw := range []string{visa, newer} {
		parsed, err := jwt.Parse(raw, func(x *jwt.Token) (any, error) {
			kids[x.Header["kid"]] = true
			key, _ := set(fmt.Sprint(x.Header["kid"]))
			return key, nil
		}, jwt.WithValidMethods([]string{"ES256"}))
		if err != nil || !parsed.Valid {
			t.Errorf("a visa does not verify under the key set: %v", err)
		}
	}
	if len(kids) != 2 {
		t.Errorf("two visas are of %d keys", len(kids))
	}
	// The grant rests, goes on, and its time ends.
	b.reply("zhou", http.MethodPost, "/grants/"+b.city.Grant+"/suspend", map[string]any{"reason": "核查使用情况期间暂停使用。"}, http.StatusOK)
	if got := b.standing(token); got != "suspended" {
		t.Errorf("of a suspended grant the permit is %s", got)
	}
	b.reply("li", http.MethodPost, "/permits/visas", map[string]any{"token": token}, http.StatusForbidden)
	b.reply("li", http.MethodPost, "/grants/"+b.city.Grant+"/permit", map[string]any{}, http.StatusForbidden)
	b.ahead.Store(int64(2 * time.Hour))
	delete(b.tokens, "li")
	delete(b.tokens, "shi")
	if got := b.standing(token); got != "expired" {
		t.Errorf("two hours later the permit is %s", got)
	}
	if rec := b.send("li", http.MethodPost, "/api/v1/permits/visas", []byte(fmt.Sprintf(`{"token":%q}`, token))); rec.Code/100 != 4 {
		t.Errorf("an expired permit gives visas: %d", rec.Code)
	}
}

// TestGrantsBeforeTheirTime give no permit, and no answer.
func TestGrantsBeforeTheirTime(t *testing.T) {
	t.Parallel()
	b := newBait(t)
	d := servicetest.ResearchDraft("jinhe", "encounter.*")
	d.Facts.From, d.Facts.To = policy.DateOf(time.Now().AddDate(0, 0, 3)), policy.DateOf(time.Now().AddDate(0, 6, 0))
	a, err := servicetest.Granted(t.Context(), b.city.Service, "li", "wu", d)
	servicetest.Must(t, err)
	ask := map[string]any{"grant": a.Grant, "sql": "SELECT COUNT(*) FROM encounter", "epsilon": 0.1}
	b.reply("li", http.MethodPost, "/grants/"+a.Grant+"/permit", map[string]any{}, http.StatusForbidden)
	b.reply("li", http.MethodPost, "/query", ask, http.StatusForbidden)
	b.ahead.Store(int64(4 * 24 * time.Hour))
	delete(b.tokens, "li")
	token := b.permit("li", a.Grant)
	b.reply("li", http.MethodPost, "/query", ask, http.StatusOK)
	b.ahead.Store(int64(8 * 30 * 24 * time.Hour))
	b.tokens = map[string]string{}
	b.reply("li", http.MethodPost, "/grants/"+a.Grant+"/permit", map[string]any{}, http.StatusForbidden)
	b.reply("li", http.MethodPost, "/query", ask, http.StatusForbidden)
	if got := b.standing(token); got != "expired" {
		t.Errorf("after its grant the permit is %s", got)
	}
	// A clock that is put back opens nothing that was over.
	b.ahead.Store(int64(5 * 24 * time.Hour))
	b.tokens = map[string]string{}
	for path, body := range map[string]any{"/grants/" + a.Grant + "/permit": map[string]any{}, "/query": ask, "/jobs": ask} {
		b.reply("li", http.MethodPost, path, body, http.StatusForbidden)
	}
}

// TestEveryWayPastAList: under a grant that lists its questions, the same question in other words is answered, and every other one is
// refused before anything is charged: by each route, and whatever stands around it.
func TestEveryWayPastAList(t *testing.T) {
	t.Parallel()
	b := newBait(t)
	const listed = "SELECT department, COUNT(*) AS n FROM encounter WHERE admitted >= DATE '2020-01-01' GROUP BY department"
	digest, err := member(b.reply("li", http.MethodPost, "/explain", map[string]any{"grant": b.city.Grant, "sql": listed}, http.StatusOK), "digest")
	servicetest.Must(t, err)
	d := servicetest.ResearchDraft("jinhe", "encounter.*", "person.*")
	d.Facts.Agreement.Listed, d.Facts.Agreement.Queries = true, []string{digest}
	a, err := servicetest.Granted(t.Context(), b.city.Service, "li", "wu", d)
	servicetest.Must(t, err)
	spent := func() string { return fmt.Sprint(b.city.Account(t, "grant/"+a.Grant).Spent) }
	before := spent()
	for what, ask := range map[string]map[string]any{
		"another date":          {"sql": strings.Replace(listed, "2020-01-01", "2020-01-02", 1)},
		"another comparison":    {"sql": strings.Replace(listed, ">=", ">", 1)},
		"no condition":          {"sql": "SELECT department, COUNT(*) AS n FROM encounter GROUP BY department"},
		"another column":        {"sql": strings.ReplaceAll(listed, "department", "outcome")},
		"one measure more":      {"sql": strings.Replace(listed, "COUNT(*) AS n", "COUNT(*) AS n, AVG(total_cost) AS c", 1)},
		"hidden in a comment":   {"sql": "/* " + listed + " */ SELECT COUNT(*) FROM person"},
		"behind a line comment": {"sql": "-- " + listed + "\nSELECT COUNT(*) FROM person"},
		"two statements":        {"sql": listed + "; SELECT COUNT(*) FROM person"},
		"beside it":             {"sql": "SELECT * FROM (" + listed + ") a, (SELECT COUNT(*) AS all_of_them FROM person) b"},
		"in another step":       {"sql": "WITH a AS (" + listed + "), b AS (SELECT COUNT(*) AS m FROM person) SELECT a.n, b.m FROM a, b"},
		"another table's name":  {"sql": strings.Replace(listed, "FROM encounter", "FROM (SELECT * FROM encounter WHERE total_cost > 10) encounter", 1)},
		"more rows a person":    {"sql": listed, "rows_per_person": map[string]int{"*": 1}},
		"with bounds found":     {"sql": strings.Replace(listed, "COUNT(*) AS n", "AVG(total_cost) AS n", 1), "find_bounds": 0.2},
		"a parameter":           {"sql": strings.Replace(listed, "DATE '2020-01-01'", "?", 1)},
		"look-alike letters":    {"sql": strings.Replace(listed, "department", "dep\u0430rtment", 1)},
	} {
		ask["grant"], ask["epsilon"] = a.Grant, 0.1
		for _, path := range []string{"/query", "/jobs", "/batches"} {
			body := any(ask)
			if path == "/batches" {
				body = map[string]any{"questions": []any{map[string]any{"id": "q", "grant": a.Grant, "sql": ask["sql"], "epsilon": 0.1, "rows_per_person": ask["rows_per_person"]}}}
			}
			raw, err := json.Marshal(body)
			servicetest.Must(t, err)
			if rec := b.send("li", http.MethodPost, "/api/v1"+path, raw); rec.Code/100 != 4 {
				t.Errorf("%s by %s: %d %.300s", what, path, rec.Code, rec.Body)
			}
		}
	}
	if got := spent(); got != before {
		t.Errorf("refusals were charged: %s, before %s", got, before)
	}
	for _, same := range []string{listed, strings.ToLower(listed), "  " + strings.ReplaceAll(listed, " ", "\n\t") + " ; ", "/* again */ " + strings.Replace(listed, "FROM", "-- from where\nFROM", 1)} {
		b.reply("li", http.MethodPost, "/query", map[string]any{"grant": a.Grant, "sql": same, "epsilon": 0.1}, http.StatusOK)
	}
}
