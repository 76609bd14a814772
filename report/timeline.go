package report

// TimelineDocument is the name under which a run keeps its [Timeline].
const TimelineDocument = "timeline"

// Timeline is when a run was worked on. It is no part of any digest.
type Timeline struct {
	Sessions []Session `json:"sessions"` // one per start of the program
}

// Session is one start of the program on a run.
type Session struct {
	Began    string  `json:"began"` // RFC 3339, UTC
	Program  string  `json:"program"`
	Platform string  `json:"platform"`
	Device   string  `json:"device"` // of the backend, in words
	Steps    []Phase `json:"steps"`
}

// Phase is a stretch of work.
type Phase struct {
	Name       string  `json:"name"`       // anchors, halving, search, race, specialists, final tables
	Generation int     `json:"generation"` // of search, from 0
	Seconds    float64 `json:"seconds"`
}

// phases is the order in which phases happen.
var phases = []string{"anchors", "halving", "search", "race", "specialists", "final tables"}

// Seconds returns the time spent on each phase, in the order of phases, and in all.
func (t Timeline) Seconds() (byPhase map[string]float64, total float64) {
	byPhase = map[string]float64{}
	for _, s := range t.Sessions {
		for _, p := range s.Steps {
			byPhase[p.Name] += p.Seconds
			total += p.Seconds
		}
	}
	return byPhase, total
}
