package cpu

// elman returns the outputs [out][n] after the last step of an Elman network:
//
//	h_t = act(bh + x_t Wx + h_(t-1) Wh), h_0 = 0;  out = bo + h_T Wo
//
// Source: J. Elman, Finding structure in time, Cognitive Science 14, 1990.
func (p *program) elman(w *scratch, b *block, point []float64) []float64 {
	m := p.model
	in, h, out, n := m.Layers[0], m.Layers[1], m.Layers[2], b.n
	wx, rest := point[:in*h], point[in*h:]
	wh, bias, rest := rest[:h*h], rest[h*h:][:h], rest[h*h+h:]
	state, next := w.a[:h*n], w.b[:h*n]
	for t := range b.steps {
		fill(next, bias, n)
		b.steps[t].add(next, wx, n, h, h)
		if t > 0 {
			addProduct(next, state, wh, n, h, h)
		}
		activate(next, m.Activation[0])
		state, next = next, state
	}
	y := w.c[:out*n]
	fill(y, rest[h*out:][:out], n)
	addProduct(y, state, rest[:h*out], n, out, out)
	return y
}

// gru returns the outputs [out][n] after the last step of a gated recurrent unit, as written at
// [rsie.Model]; h_0 = 0. The sums run over the bias, the inputs and the state in this order.
func (p *program) gru(w *scratch, b *block, point []float64) []float64 {
	m := p.model
	in, h, out, n := m.Layers[0], m.Layers[1], m.Layers[2], b.n
	wx, rest := point[:in*3*h], point[in*3*h:]
	wh, bias, rest := rest[:h*3*h], rest[h*3*h:][:3*h], rest[h*3*h+3*h:]
	state, gates, gated := w.a[:h*n], w.b[:3*h*n], w.c[:h*n]
	update, reset, candidate := gates[:h*n], gates[h*n:2*h*n], gates[2*h*n:]
	clear(state)
	for t := range b.steps {
		fill(gates, bias, n)
		b.steps[t].add(gates, wx, n, 3*h, 3*h)
		addProduct(gates, state, wh, n, 2*h, 3*h)
		sigmoidSlice(gates[:2*h*n])
		for i, v := range reset {
			gated[i] = v * state[i]
		}
		addProduct(candidate, gated, wh[2*h:], n, h, 3*h)
		tanhSlice(candidate)
		for i, z := range update {
			state[i] = (1-z)*candidate[i] + z*state[i]
		}
	}
	y := w.b[:out*n] // the gates are done with
	fill(y, rest[h*out:][:out], n)
	addProduct(y, state, rest[:h*out], n, out, out)
	return y
}
