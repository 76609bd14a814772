package cpu

import rsie "github.com/symbio-ai/recursive-improvement"

var (
	_ rsie.Splitter = (*Gonum)(nil)
	_ rsie.Splitter = (*Auto)(nil)
)

// Split implements [rsie.Splitter].
func (g *Gonum) Split(n int) ([]rsie.Backend, error) {
	return splitWorkers(n, g.pool.workers(), NewGonum)
}

// Split implements [rsie.Splitter]; none where the 32-bit backend has none.
func (a *Auto) Split(n int) ([]rsie.Backend, error) {
	s, ok := a.Backend.(rsie.Splitter)
	if !ok {
		return nil, nil
	}
	parts, err := s.Split(n)
	if err != nil || len(parts) == 0 {
		return nil, err
	}
	share := max(1, a.wide.pool.workers()/len(parts))
	for i, b := range parts {
		wide, err := NewGonum(share)
		if err != nil {
			closeAll(parts)
			return nil, err
		}
		parts[i] = &Auto{b, wide}
	}
	return parts, nil
}

// splitWorkers opens at most n backends that have the workers together.
func splitWorkers[B rsie.Backend](n, workers int, open func(workers int) (B, error)) ([]rsie.Backend, error) {
	n = max(1, min(n, workers))
	var out []rsie.Backend
	for i := range n {
		b, err := open((workers + n - 1 - i) / n)
		if err != nil {
			closeAll(out)
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// closeAll closes backends after an error, which is the one to report.
func closeAll(all []rsie.Backend) {
	for _, b := range all {
		b.Close()
	}
}
