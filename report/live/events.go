package live

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// events streams the statuses of all runs: one message at once, then one per change. A reader who
// does not take a message within [Options.Patience] is cut off.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	s.poll(time.Now())
	own := make(chan []byte, 1)
	s.mu.Lock()
	if len(s.listeners) >= maxListeners {
		s.mu.Unlock()
		http.Error(w, "too many readers", http.StatusServiceUnavailable)
		return
	}
	own <- s.last
	s.listeners[own] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.listeners, own)
		s.mu.Unlock()
	}()
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	_ = control.SetReadDeadline(time.Time{}) // the request has been read; the stream has no end
	quiet := time.NewTicker(aliveTime)
	defer quiet.Stop()
	for {
		text := ": alive\n\n"
		select {
		case <-r.Context().Done():
			return
		case <-s.done:
			select { // the last state was sent before
			case b := <-own:
				_ = s.send(control, w, "data: "+string(b)+"\n\n")
			default:
			}
			_ = s.send(control, w, "event: end\ndata: {}\n\n")
			return
		case b := <-own:
			text = "data: " + string(b) + "\n\n"
		case <-quiet.C:
		}
		if s.send(control, w, text) != nil {
			return
		}
	}
}

// send writes one message within [Options.Patience].
func (s *Server) send(control *http.ResponseController, w http.ResponseWriter, text string) error {
	if err := control.SetWriteDeadline(time.Now().Add(s.options.Patience)); err != nil {
		return err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	return control.Flush()
}

// metrics answers in the text format of Prometheus, version 0.0.4.
func (s *Server) metrics(w http.ResponseWriter, _ *http.Request) {
	s.poll(time.Now())
	var b strings.Builder
	gauge := func(name, help string, of func(Status) (float64, bool)) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
		for _, run := range s.runs {
			run.mu.Lock()
			status := run.status
			run.mu.Unlock()
			if v, ok := of(status); ok {
				fmt.Fprintf(&b, "%s{run=\"%s\"} %g\n", name, escapeLabel(status.Name), v)
			}
		}
	}
	gauge("rsie_generation", "Generations stored.", func(s Status) (float64, bool) { return float64(s.Generation), true })
	gauge("rsie_generations", "Generations that the run will have.", func(s Status) (float64, bool) { return float64(s.Generations), true })
	gauge("rsie_evaluations", "Level-1 evaluations up to the last generation.", func(s Status) (float64, bool) { return float64(s.Evaluations), true })
	gauge("rsie_strategies", "Strategies met.", func(s Status) (float64, bool) { return float64(s.Strategies), true })
	gauge("rsie_best_meta_fitness", "Highest meta-fitness of a generation, maximised.", func(s Status) (float64, bool) {
		if s.Best == nil {
			return 0, false
		}
		return *s.Best, true
	})
	gauge("rsie_running", "1 while a program works on the run.", func(s Status) (float64, bool) {
		if s.State == Finished || s.State == Stopped {
			return 0, true
		}
		return 1, true
	})
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	s.writeTimed(w, []byte(b.String()))
}

// escapeLabel writes a text as the value of a label.
func escapeLabel(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
}
