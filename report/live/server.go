package live

import (
	"context"
	"crypto/tls"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"strconv"
	"sync"
	"time"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/report"
)

//go:embed page.html live.css live.js
var files embed.FS

// Options say what a server shows and where. The zero value of a field is its default.
type Options struct {
	Address  string   // HOST:PORT [127.0.0.1:0]; port 0 is any free one
	Hosts    []string // host names that readers use beyond loopback
	Cert     string   // files of a TLS certificate and its key; needed beyond loopback
	Key      string
	ReadOnly bool // no pause, resume and stop
	// Patience is how long a reader may take to send a request, and to take an answer [10 s].
	Patience time.Duration
	Runs     []string
	// Describe fills what a run does not know itself, such as the command that makes it again.
	Describe func(*store.Store, *report.Run) error
	// Address of the next browser, called at the start and after each that was used.
	Say func(link string)
}

// Server shows runs. Close it.
type Server struct {
	options Options
	guard   *guard
	runs    []*watched
	web     *http.Server
	socket  net.Listener
	done    chan struct{}
	end     sync.Once // closes done
	stopped sync.WaitGroup

	mu        sync.Mutex
	listeners map[chan []byte]bool
	last      []byte // statuses as JSON
}

// The times that a reader may take.
const (
	patience  = 10 * time.Second
	idleTime  = time.Minute
	pollTime  = time.Second
	graceTime = 700 * time.Millisecond // for readers to fetch the last pictures
	aliveTime = 15 * time.Second       // between comments that keep a quiet stream open
)

// defaultAddress is any free port of loopback.
const defaultAddress = "127.0.0.1:0"

// Check returns [rsie.ErrInvalid] for an address that a server may not listen on.
func (o Options) Check() error {
	if o.Address == "" {
		o.Address = defaultAddress
	}
	_, err := address(o.Address, o.Cert != "" && o.Key != "", o.Hosts)
	return err
}

// Start begins to serve. It returns [rsie.ErrInvalid] for an address that it may not or cannot
// listen on.
func Start(o Options) (*Server, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Address == "" {
		o.Address = defaultAddress
	}
	if o.Patience == 0 {
		o.Patience = patience
	}
	secure := o.Cert != "" && o.Key != ""
	socket, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("%w: cannot listen on %s: %w", rsie.ErrInvalid, o.Address, err)
	}
	host, _, _ := net.SplitHostPort(o.Address) // it was checked
	_, port, _ := net.SplitHostPort(socket.Addr().String())
	hosts, err := address(net.JoinHostPort(host, port), secure, slices.Clone(o.Hosts))
	if err != nil {
		socket.Close()
		return nil, err
	}
	if secure {
		pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
		if err != nil {
			socket.Close()
			return nil, fmt.Errorf("%w: TLS certificate: %w", rsie.ErrInvalid, err)
		}
		socket = tls.NewListener(socket, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	}
	s := &Server{options: o, socket: socket, done: make(chan struct{}), listeners: map[chan []byte]bool{}, last: []byte("[]")}
	say := o.Say
	if say == nil {
		say = func(string) {}
	}
	s.guard = newGuard(hosts, secure, func(token string) { say(link(secure, hosts, token)) })
	for _, dir := range o.Runs {
		s.runs = append(s.runs, &watched{dir: dir, describe: o.Describe, status: Status{ID: len(s.runs), Name: dir, ReadOnly: o.ReadOnly}})
	}
	s.poll(time.Now())
	s.web = &http.Server{Handler: s.guard.wrap(s.routes()), ReadTimeout: o.Patience,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeader}
	s.stopped.Add(2)
	go s.serve()
	go s.watch()
	say(link(secure, hosts, s.guard.once))
	return s, nil
}

// Token returns the token of programs: Authorization: Bearer TOKEN.
func (s *Server) Token() string { return s.guard.bearer }

// URL returns the address of the pages without a token, as readers reach them.
func (s *Server) URL() string {
	scheme := "http"
	if s.guard.tls {
		scheme = "https"
	}
	return scheme + "://" + s.guard.hosts[0]
}

// Addr returns where the server listens, with its port.
func (s *Server) Addr() string { return s.socket.Addr().String() }

func (s *Server) serve() {
	defer s.stopped.Done()
	if err := s.web.Serve(s.socket); !errors.Is(err, http.ErrServerClosed) {
		s.end.Do(func() { close(s.done) })
	}
}

// Close tells the readers the last state and ends the server.
func (s *Server) Close() error {
	s.poll(time.Now().Add(time.Hour)) // the last state is drawn at once
	if s.listening() {
		time.Sleep(graceTime)
	}
	s.end.Do(func() { close(s.done) })
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := s.web.Shutdown(ctx)
	if err != nil {
		err = s.web.Close()
	}
	s.stopped.Wait()
	for _, w := range s.runs {
		w.close()
	}
	return err
}

// watch polls the runs and tells listeners of changes.
func (s *Server) watch() {
	defer s.stopped.Done()
	tick := time.NewTicker(pollTime)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return
		case now := <-tick.C:
			if s.listening() {
				s.poll(now)
			}
		}
	}
}

func (s *Server) listening() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.listeners) > 0
}

// poll refreshes all runs. Each listener has room for one message, the latest: a slow one misses
// states, never the last.
func (s *Server) poll(now time.Time) {
	all := make([]Status, 0, len(s.runs))
	for _, w := range s.runs {
		all = append(all, w.refresh(now))
	}
	b, err := json.Marshal(all)
	if err != nil {
		return // a plain struct
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if string(b) == string(s.last) {
		return
	}
	s.last = b
	for c := range s.listeners {
		select {
		case <-c:
		default:
		}
		c <- b
	}
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for path, file := range map[string]string{"/{$}": "page.html", "/live.js": "live.js"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, file) })
	}
	mux.HandleFunc("GET /live.css", s.style)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("GET /runs", s.list)
	mux.HandleFunc("GET /runs/{id}/{part}", s.part)
	mux.HandleFunc("POST /runs/{id}/{order}", s.order)
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	return mux
}

func (s *Server) style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	own, _ := files.ReadFile("live.css") // it is embedded
	s.writeTimed(w, append([]byte(report.Style()), own...))
}

// writeTimed writes a body to a reader who has [Options.Patience] to take it.
func (s *Server) writeTimed(w http.ResponseWriter, b []byte) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.options.Patience))
	_, _ = w.Write(b) // a reader that is gone needs no answer
}

func (s *Server) list(w http.ResponseWriter, _ *http.Request) {
	s.poll(time.Now())
	s.mu.Lock()
	b := s.last
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	s.writeTimed(w, b)
}

// run returns the run that a path names by its number, nil when there is none.
func (s *Server) run(r *http.Request) *watched {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || id < 0 || id >= len(s.runs) || strconv.Itoa(id) != r.PathValue("id") {
		return nil
	}
	return s.runs[id]
}

// part serves the pictures of a run: body, the sections, or report.html, the page to keep.
func (s *Server) part(w http.ResponseWriter, r *http.Request) {
	run, part := s.run(r), r.PathValue("part")
	if run == nil || part != "body" && part != "report.html" {
		http.NotFound(w, r)
		return
	}
	body := run.pictures()
	if part == "report.html" {
		var err error
		if body, err = run.kept(); err != nil {
			http.Error(w, "the report could not be written", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Disposition", `attachment; filename="report.html"`)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	s.writeTimed(w, body)
}

// order passes pause, resume or stop on to the program that works on the run.
func (s *Server) order(w http.ResponseWriter, r *http.Request) {
	run, order := s.run(r), r.PathValue("order")
	switch {
	case run == nil || !slices.Contains(Orders, order):
		http.NotFound(w, r)
		return
	case s.options.ReadOnly:
		http.Error(w, "this page is for reading only", http.StatusForbidden)
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		http.Error(w, "the body is too large or cut off", http.StatusRequestEntityTooLarge)
		return
	}
	if _, alive := readBeat(run.dir, time.Now()); !alive {
		http.Error(w, "no program works on this run", http.StatusConflict)
		return
	}
	if err := Order(run.dir, order); err != nil {
		http.Error(w, "the order could not be left in the run folder", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
