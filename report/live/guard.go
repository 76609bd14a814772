package live

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// The limits of requests.
const (
	maxBody      = 4 << 10
	maxHeader    = 16 << 10
	perSecond    = 100.0 // requests of all readers, and as many of all who are none
	burst        = 400.0
	maxListeners = 200
	sessionName  = "rsie_session"
	maxSessions  = 64
)

// policy lets a page load its own script and style and ask its own server, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard lets through what may reach the pages.
type guard struct {
	hosts []string // that the Host header may name, with port
	tls   bool
	used  func(token string) // called with the token that replaces one that was used up

	mu       sync.Mutex
	bearer   string           // for programs, in the Authorization header
	once     string           // for the next browser, in the address
	sessions []string         // of browsers
	budget   map[bool]*budget // of those who are known, and of all others
}

// budget is what is left of the requests that may be made.
type budget struct {
	left   float64
	filled time.Time
}

// secret returns 32 random bytes as text.
func secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it does not fail, and ends the program when it would
	return base64.RawURLEncoding.EncodeToString(b)
}

func newGuard(hosts []string, tls bool, used func(string)) *guard {
	token := secret()
	return &guard{hosts: hosts, tls: tls, used: used, bearer: token, once: token,
		budget: map[bool]*budget{true: {burst, time.Now()}, false: {burst, time.Now()}}}
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// wrap puts the checks before a handler.
func (g *guard) wrap(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	inner := origin.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.admit(w, r, next) }))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !slices.Contains(g.hosts, strings.ToLower(r.Host)) {
			http.Error(w, "this server does not answer to that host name", http.StatusMisdirectedRequest)
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// admit checks what is left after host and origin.
func (g *guard) admit(w http.ResponseWriter, r *http.Request, next http.Handler) {
	known := g.known(r)
	switch {
	case !g.spend(known):
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many requests", http.StatusTooManyRequests)
	case !plain(r.URL):
		http.NotFound(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/" && r.URL.Query().Has("token"):
		g.exchange(w, r)
	case !known:
		http.Error(w, "open the address that rsie printed; each works once", http.StatusUnauthorized)
	case r.ContentLength > maxBody:
		http.Error(w, "the body is too large", http.StatusRequestEntityTooLarge)
	default:
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	}
}

// plain reports whether a path leads nowhere but where it says: no dots, no doubled slashes, nothing
// escaped.
func plain(u *url.URL) bool {
	clean := path.Clean(u.Path)
	if strings.HasSuffix(u.Path, "/") && clean != "/" {
		clean += "/"
	}
	return u.Path == clean && !strings.Contains(u.EscapedPath(), "%")
}

// spend takes one request from the budget. Who is not known cannot use up that of the readers: any
// page of the web can make a browser send requests to a port of its machine.
func (g *guard) spend(known bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, b := time.Now(), g.budget[known]
	b.left = min(burst, b.left+perSecond*now.Sub(b.filled).Seconds())
	b.filled = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// exchange gives a browser a session for the token of its address, which is used up.
func (g *guard) exchange(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	if !equal(r.URL.Query().Get("token"), g.once) {
		known := g.session(r)
		g.mu.Unlock()
		if known { // the same browser opens its bookmark again
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		http.Error(w, "this address has been used or is wrong; rsie prints a new one after each use", http.StatusUnauthorized)
		return
	}
	session := secret()
	g.sessions = append(g.sessions, session)
	if len(g.sessions) > maxSessions {
		g.sessions = g.sessions[1:]
	}
	g.once = secret()
	fresh := g.once
	g.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: sessionName, Value: session, Path: "/", HttpOnly: true, Secure: g.tls,
		SameSite: http.SameSiteStrictMode})
	if g.used != nil {
		g.used(fresh)
	}
	// A strict cookie is not sent along a redirect that began on another site, so the page itself is
	// answered by a document that loads it.
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Refresh", "0; url=/")
	fmt.Fprint(w, `<!DOCTYPE html><html lang="en"><title>rsie</title><p><a href="/">Open the page</a></p></html>`)
}

func (g *guard) session(r *http.Request) bool {
	c, err := r.Cookie(sessionName)
	return err == nil && slices.ContainsFunc(g.sessions, func(s string) bool { return equal(s, c.Value) })
}

// known reports whether a request carries a session or the token of programs.
func (g *guard) known(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && equal(token, g.bearer) || g.session(r)
}

// address checks where the server may listen and returns the host names it answers to.
func address(addr string, tls bool, names []string) ([]string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("%w: address %q, want HOST:PORT such as 127.0.0.1:8080", rsie.ErrInvalid, addr)
	}
	ip := net.ParseIP(host)
	local := host == "localhost" || ip != nil && ip.IsLoopback()
	if !local && !tls {
		return nil, fmt.Errorf("%w: %s can be reached from other machines, which needs --tls-cert and --tls-key; "+
			"or listen on 127.0.0.1 and forward the port with ssh -L", rsie.ErrInvalid, addr)
	}
	if !local && len(names) == 0 && (host == "" || ip != nil && ip.IsUnspecified()) {
		return nil, fmt.Errorf("%w: %s stands for every address of this machine; name the one that readers use with --host",
			rsie.ErrInvalid, addr)
	}
	if local {
		names = append(names, "127.0.0.1", "localhost", "[::1]")
	} else if len(names) == 0 {
		names = append(names, strings.ToLower(host))
	}
	var out []string
	for _, n := range names {
		out = append(out, strings.ToLower(n)+":"+port)
		if port == "443" && tls {
			out = append(out, strings.ToLower(n))
		}
	}
	return out, nil
}

// link is the address to open.
func link(tls bool, hosts []string, token string) string {
	u := url.URL{Scheme: "http", Host: hosts[0], Path: "/", RawQuery: "token=" + token}
	if tls {
		u.Scheme = "https"
	}
	return u.String()
}
