package live_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/report"
	"github.com/symbio-ai/recursive-improvement/report/live"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// served is a server over an empty run, with the last address that it printed.
type served struct {
	*live.Server
	dir, link string
	st        *store.Store
}

func serve(t *testing.T, o live.Options) *served {
	t.Helper()
	s := &served{dir: t.TempDir()}
	var err error
	s.st, err = store.Create(s.dir, []byte(`{"suite":"x","meta_generations":3}`))
	require.NoError(t, err)
	o.Runs = []string{s.dir}
	if o.Describe == nil {
		o.Describe = func(*store.Store, *report.Run) error { return nil }
	}
	o.Say = func(link string) { s.link = link }
	s.Server, err = live.Start(o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, s.st.Close())
	})
	return s
}

// ask sends a request over a connection of its own, as it stands here, which no client cleans, and
// returns the answer.
func (s *served) ask(t *testing.T, method, path string, header map[string]string, body io.Reader) *http.Response {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	var text strings.Builder
	host := s.Addr()
	if h, ok := header["Host"]; ok {
		host = h
	}
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method, path, host)
	for k, v := range header {
		if k != "Host" {
			fmt.Fprintf(&text, "%s: %s\r\n", k, v)
		}
	}
	content := []byte{}
	if body != nil {
		content, err = io.ReadAll(body)
		require.NoError(t, err)
	}
	if header["Transfer-Encoding"] == "chunked" {
		fmt.Fprintf(&text, "\r\n%x\r\n%s\r\n0\r\n\r\n", len(content), content)
	} else {
		fmt.Fprintf(&text, "Content-Length: %d\r\n\r\n%s", len(content), content)
	}
	_, err = io.WriteString(c, text.String())
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	require.NoError(t, err)
	return answer
}

// TestSecurity is the table of what is refused, and of the same request that is not.
func TestSecurity(t *testing.T) {
	s := serve(t, live.Options{})
	require.NoError(t, live.Beat{State: live.Running}.Write(s.dir, time.Now()))
	auth := "Bearer " + s.Token()
	_, port, err := net.SplitHostPort(s.Addr())
	require.NoError(t, err)
	for _, c := range []struct {
		name, method, path string
		header             map[string]string
		body               string
		want               int
	}{
		{"the page", "GET", "/", map[string]string{"Authorization": auth}, "", 200},
		{"no token", "GET", "/", nil, "", 401},
		{"wrong token", "GET", "/", map[string]string{"Authorization": "Bearer x"}, "", 401},
		{"wrong token in the address", "GET", "/?token=x", nil, "", 401},
		{"wrong session", "GET", "/", map[string]string{"Cookie": "rsie_session=x"}, "", 401},
		{"rebound host", "GET", "/", map[string]string{"Authorization": auth, "Host": "evil.example:" + port}, "", 421},
		{"host of another port", "GET", "/", map[string]string{"Authorization": auth, "Host": "localhost:1"}, "", 421},
		{"localhost", "GET", "/", map[string]string{"Authorization": auth, "Host": "localhost:" + port}, "", 200},
		{"order from another site", "POST", "/runs/0/pause", map[string]string{"Authorization": auth, "Sec-Fetch-Site": "cross-site"}, "", 403},
		{"order from another origin", "POST", "/runs/0/pause", map[string]string{"Authorization": auth, "Origin": "http://evil.example"}, "", 403},
		{"order without token", "POST", "/runs/0/pause", nil, "", 401},
		{"order with a large body", "POST", "/runs/0/pause", map[string]string{"Authorization": auth}, strings.Repeat("x", 5000), 413},
		{"order", "POST", "/runs/0/pause", map[string]string{"Authorization": auth, "Sec-Fetch-Site": "same-origin"}, "", 202},
		{"unknown order", "POST", "/runs/0/delete", map[string]string{"Authorization": auth}, "", 404},
		{"order by GET", "GET", "/runs/0/pause", map[string]string{"Authorization": auth}, "", 404},
		{"unknown run", "GET", "/runs/1/body", map[string]string{"Authorization": auth}, "", 404},
		{"run of another spelling", "GET", "/runs/00/body", map[string]string{"Authorization": auth}, "", 404},
		{"escape", "GET", "/../../etc/passwd", map[string]string{"Authorization": auth}, "", 404},
		{"escape inside", "GET", "/runs/0/../../live.js", map[string]string{"Authorization": auth}, "", 404},
		{"encoded escape", "GET", "/runs/..%2f..%2fetc/body", map[string]string{"Authorization": auth}, "", 404},
		{"file of the run", "GET", "/runs/0/run.db", map[string]string{"Authorization": auth}, "", 404},
		{"metrics", "GET", "/metrics", map[string]string{"Authorization": auth}, "", 200},
		{"metrics without token", "GET", "/metrics", nil, "", 401},
		{"profile", "GET", "/debug/pprof/", map[string]string{"Authorization": auth}, "", 200},
		{"profile without token", "GET", "/debug/pprof/", nil, "", 401},
		{"events without token", "GET", "/events", nil, "", 401},
		{"report", "GET", "/runs/0/report.html", map[string]string{"Authorization": auth}, "", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.ask(t, c.method, c.path, c.header, strings.NewReader(c.body))
			require.Equal(t, c.want, got.StatusCode)
			policy := got.Header.Get("Content-Security-Policy")
			require.Contains(t, policy, "default-src 'none'; script-src 'self'")
			require.Contains(t, policy, "frame-ancestors 'none'")
			require.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
		})
	}
	require.Equal(t, "pause", live.TakeOrder(s.dir), "the one order that was let through")
}

// A body without a length is cut off as well.
func TestLargeStreamIsRefused(t *testing.T) {
	s := serve(t, live.Options{})
	header := map[string]string{"Authorization": "Bearer " + s.Token(), "Transfer-Encoding": "chunked"}
	got := s.ask(t, "POST", "/runs/0/stop", header, strings.NewReader(strings.Repeat("x", 10_000)))
	require.Equal(t, http.StatusRequestEntityTooLarge, got.StatusCode)
}

// TestAddressWorksOnce: the printed address gives one browser a session and is replaced.
func TestAddressWorksOnce(t *testing.T) {
	s := serve(t, live.Options{})
	first, err := url.Parse(s.link)
	require.NoError(t, err)
	got := s.ask(t, "GET", "/?"+first.RawQuery, nil, nil)
	require.Equal(t, 200, got.StatusCode)
	require.Len(t, got.Cookies(), 1)
	cookie := got.Cookies()[0]
	require.True(t, cookie.HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
	require.Equal(t, 200, s.ask(t, "GET", "/runs", map[string]string{"Cookie": cookie.Name + "=" + cookie.Value}, nil).StatusCode)
	require.Equal(t, 401, s.ask(t, "GET", "/?"+first.RawQuery, nil, nil).StatusCode)
	second, err := url.Parse(s.link)
	require.NoError(t, err)
	require.NotEqual(t, first.RawQuery, second.RawQuery)
	require.Equal(t, 200, s.ask(t, "GET", "/?"+second.RawQuery, nil, nil).StatusCode)
}

func TestReadOnlyTakesNoOrders(t *testing.T) {
	s := serve(t, live.Options{ReadOnly: true})
	require.NoError(t, live.Beat{State: live.Running}.Write(s.dir, time.Now()))
	got := s.ask(t, "POST", "/runs/0/stop", map[string]string{"Authorization": "Bearer " + s.Token()}, nil)
	require.Equal(t, http.StatusForbidden, got.StatusCode)
	list, err := io.ReadAll(s.ask(t, "GET", "/runs", map[string]string{"Authorization": "Bearer " + s.Token()}, nil).Body)
	require.NoError(t, err)
	require.Contains(t, string(list), `"read_only":true`, "the page shows no buttons")
	require.Empty(t, live.TakeOrder(s.dir))
}

func TestRunWithoutProgramTakesNoOrders(t *testing.T) {
	s := serve(t, live.Options{})
	header := map[string]string{"Authorization": "Bearer " + s.Token()}
	require.Equal(t, http.StatusConflict, s.ask(t, "POST", "/runs/0/stop", header, nil).StatusCode)
	require.NoError(t, live.Beat{State: live.Running}.Write(s.dir, time.Now().Add(-time.Minute)), "of a program that was killed")
	require.Equal(t, http.StatusConflict, s.ask(t, "POST", "/runs/0/stop", header, nil).StatusCode)
}

// TestOtherAddressesNeedTLS: nothing listens beyond loopback without a certificate, nor for host
// names that nobody gave.
func TestOtherAddressesNeedTLS(t *testing.T) {
	cert, key := certificate(t)
	for _, c := range []struct {
		o    live.Options
		want string
	}{
		{live.Options{Address: "0.0.0.0:0"}, "needs --tls-cert and --tls-key"},
		{live.Options{Address: ":0"}, "needs --tls-cert and --tls-key"},
		{live.Options{Address: "192.0.2.1:0"}, "needs --tls-cert and --tls-key"},
		{live.Options{Address: "example.org:0"}, "needs --tls-cert and --tls-key"},
		{live.Options{Address: "0.0.0.0:0", Cert: cert}, "needs --tls-cert and --tls-key"},
		{live.Options{Address: "0.0.0.0:0", Cert: cert, Key: key}, "stands for every address"},
		{live.Options{Address: "127.0.0.1"}, "want HOST:PORT"},
		{live.Options{Address: "127.0.0.1:0", Cert: key, Key: key}, "TLS certificate"},
	} {
		_, err := live.Start(c.o)
		require.ErrorIs(t, err, rsie.ErrInvalid)
		require.ErrorContains(t, err, c.want)
	}
	s, err := live.Start(live.Options{Address: "0.0.0.0:0", Cert: cert, Key: key, Hosts: []string{"example.org"}})
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(s.Addr())
	require.NoError(t, err)
	require.Equal(t, "https://example.org:"+port, s.URL())
	require.NoError(t, s.Close())
}

// certificate writes a self-signed certificate and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"example.org"}}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &private.PublicKey, private)
	require.NoError(t, err)
	secret, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600))
	return cert, key
}

// TestTooManyRequests: a burst beyond the limit is told to wait.
func TestTooManyRequests(t *testing.T) {
	s := serve(t, live.Options{})
	client := &http.Client{}
	defer client.CloseIdleConnections()
	refused := 0
	for range 1500 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr()+"/live.js", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+s.Token())
		answer, err := client.Do(r)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	require.Positive(t, refused)
}

// TestEventsTellOfGenerations: a reader sees a state at once, and the next when a generation is
// stored.
func TestEventsTellOfGenerations(t *testing.T) {
	s := serve(t, live.Options{})
	answer := s.ask(t, "GET", "/events", map[string]string{"Authorization": "Bearer " + s.Token()}, nil)
	require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	lines := bufio.NewScanner(answer.Body)
	next := func(want string) {
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("the stream ended before %q: %v", want, lines.Err())
	}
	next(`"generation":0,"generations":3`)
	require.NoError(t, s.st.Commit(&store.Generation{Summary: []byte(`{"best":0.5,"median":0.4}`), State: []float64{1}}))
	next(`"generation":1,"generations":3,"best":0.5`)
}

// TestSlowClientIsCut: who does not send a whole request, or does not take an answer, is cut off when
// the server's patience ends.
func TestSlowClientIsCut(t *testing.T) {
	s := serve(t, live.Options{Patience: 200 * time.Millisecond, Describe: func(_ *store.Store, r *report.Run) error {
		r.Command = strings.Repeat("x", 20<<20) // more than sockets hold
		return nil
	}})
	head := " HTTP/1.1\r\nHost: " + s.Addr() + "\r\nAuthorization: Bearer " + s.Token() + "\r\n"
	for name, request := range map[string]string{
		"header": "GET /" + head,
		"body":   "POST /runs/0/stop" + head + "Content-Length: 1000\r\n\r\nx",
		"answer": "GET /runs/0/report.html" + head + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", s.Addr())
			require.NoError(t, err)
			defer c.Close()
			_, err = io.WriteString(c, request)
			require.NoError(t, err)
			require.Eventually(t, func() bool { // a closed connection refuses what is sent
				_, err := io.WriteString(c, "x")
				return err != nil
			}, 20*time.Second, 100*time.Millisecond)
		})
	}
	require.Empty(t, live.TakeOrder(s.dir), "half an order is none")
}

// TestStrangersCannotUseUpRequests: a flood without the token leaves the readers theirs.
func TestStrangersCannotUseUpRequests(t *testing.T) {
	s := serve(t, live.Options{})
	client := &http.Client{}
	defer client.CloseIdleConnections()
	refused := false
	for range 1500 {
		answer, err := client.Get("http://" + s.Addr() + "/")
		require.NoError(t, err)
		answer.Body.Close()
		refused = refused || answer.StatusCode == http.StatusTooManyRequests
	}
	require.True(t, refused)
	require.Equal(t, 200, s.ask(t, "GET", "/", map[string]string{"Authorization": "Bearer " + s.Token()}, nil).StatusCode)
}

func TestOrdersAreChecked(t *testing.T) {
	dir := t.TempDir()
	require.ErrorIs(t, live.Order(dir, "delete"), rsie.ErrInvalid)
	require.Empty(t, live.TakeOrder(dir))
	require.NoError(t, live.Order(dir, "stop"))
	require.Equal(t, "stop", live.TakeOrder(dir))
	require.Empty(t, live.TakeOrder(dir), "an order is taken once")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "live.order"), []byte("something else entirely"), 0o600))
	require.Empty(t, live.TakeOrder(dir))
}
