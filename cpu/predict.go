package cpu

import "github.com/symbio-ai/recursive-improvement"

// predict writes what the network of point puts out on every row: dst is [S, out]; for control
// it is [S], the sum of rewards of each episode. It allocates nothing.
func (p *program) predict(dst []float64, worker int, point []float64) {
	w := &p.work[worker]
	point = point[:p.dim]
	if p.model.Loss == rsie.Return {
		p.rollout(w, point)
		copy(dst, w.returns)
		return
	}
	width := p.model.Outputs()
	for i := range p.blocks {
		b := &p.blocks[i]
		out := p.forward(w, b, point)
		// [out][n] seen as out rows becomes [n][out].
		transpose(dst[b.first*width:], out, width, b.n, b.n)
	}
}
