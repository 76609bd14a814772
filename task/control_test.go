package task

import (
	"fmt"
	"math"
	"strings"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// conformance returns the vector the suite's check values are defined for: theta_i =
// s_i sin(i+1), s_i = 1.5/sqrt(fan_in) for weights and 0.1 for biases.
func conformance(m *rsie.Model) []float64 {
	theta := make([]float64, m.Dim())
	for _, b := range m.Blocks() {
		scale := 0.1
		if b.Std > 0 {
			scale = 1.5 * b.Std
		}
		for i := b.Offset; i < b.Offset+b.Rows*b.Cols; i++ {
			theta[i] = scale * math.Sin(float64(i+1))
		}
	}
	return theta
}

// dense returns the outputs of a dense network with tanh.
func dense(layers []int, theta, x []float64) []float64 {
	for l := 1; l < len(layers); l++ {
		in, width := layers[l-1], layers[l]
		y := make([]float64, width)
		for j := range y {
			y[j] = theta[in*width+j]
			for i := range in {
				y[j] += x[i] * theta[i*width+j]
			}
			if l+1 < len(layers) {
				y[j] = math.Tanh(y[j])
			}
		}
		theta, x = theta[(in+1)*width:], y
	}
	return x
}

func wrap(a float64) float64 { return a - 2*math.Pi*math.Floor(a/(2*math.Pi)+0.5) }

func clip(v, lo, hi float64) float64 { return math.Max(lo, math.Min(hi, v)) }

// stepper advances a state by one step under a policy; it returns the reward and whether the
// episode ends. The equations are those of the suite's file.
type stepper func(c *rsie.Control, policy func(obs ...float64) []float64, s []float64) (float64, bool)

var steppers = map[rsie.Dynamics]stepper{
	rsie.CartPoleSwingUp: func(c *rsie.Control, policy func(...float64) []float64, s []float64) (float64, bool) {
		sin, cos := math.Sin(s[2]), math.Cos(s[2])
		force := c.Force * math.Tanh(policy(s[0], s[1], cos, sin, s[3])[0])
		total, ml := c.CartMass+c.PoleMass, c.PoleMass*c.HalfLength
		tmp := (force + ml*s[3]*s[3]*sin) / total
		tha := (9.8*sin - cos*tmp) / (c.HalfLength * (4.0/3 - c.PoleMass*cos*cos/total))
		xa := tmp - ml*tha*cos/total
		s[0], s[1], s[2], s[3] = s[0]+0.02*s[1], s[1]+0.02*xa, s[2]+0.02*s[3], s[3]+0.02*tha
		if math.Abs(s[0]) > 2.4 {
			return 0, true
		}
		return (1 + math.Cos(s[2])) / 2, false
	},
	rsie.Pendulum: func(c *rsie.Control, policy func(...float64) []float64, s []float64) (float64, bool) {
		u, a := 2*math.Tanh(policy(math.Cos(s[0]), math.Sin(s[0]), s[1])[0]), wrap(s[0])
		reward := -(a*a + 0.1*s[1]*s[1] + 0.001*u*u)
		s[1] = clip(s[1]+(15*math.Sin(s[0])+3*u)*0.05, -8, 8)
		s[0] += 0.05 * s[1]
		return reward, false
	},
	rsie.Acrobot: func(c *rsie.Control, policy func(...float64) []float64, s []float64) (float64, bool) {
		torque := float64(argmax(policy(math.Cos(s[0]), math.Sin(s[0]), math.Cos(s[1]), math.Sin(s[1]),
			s[2], s[3]))) - 1
		f := func(s [4]float64) [4]float64 {
			d1, d2 := 0.25+(1.25+math.Cos(s[1]))+2, 0.25+0.5*math.Cos(s[1])+1
			phi2 := 4.9 * math.Cos(s[0]+s[1]-math.Pi/2)
			phi1 := -0.5*s[3]*s[3]*math.Sin(s[1]) - s[3]*s[2]*math.Sin(s[1]) +
				14.7*math.Cos(s[0]-math.Pi/2) + phi2
			a2 := (torque + d2/d1*phi1 - 0.5*s[2]*s[2]*math.Sin(s[1]) - phi2) / (1.25 - d2*d2/d1)
			return [4]float64{s[2], s[3], -(d2*a2 + phi1) / d1, a2}
		}
		plus := func(s [4]float64, h float64, k [4]float64) [4]float64 {
			for i := range s {
				s[i] += h * k[i]
			}
			return s
		}
		x := [4]float64(s)
		k1 := f(x)
		k2 := f(plus(x, 0.1, k1))
		k3 := f(plus(x, 0.1, k2))
		k4 := f(plus(x, 0.2, k3))
		for i := range s {
			s[i] += 0.2 / 6 * (k1[i] + 2*k2[i] + 2*k3[i] + k4[i])
		}
		s[0], s[1] = wrap(s[0]), wrap(s[1])
		s[2], s[3] = clip(s[2], -4*math.Pi, 4*math.Pi), clip(s[3], -9*math.Pi, 9*math.Pi)
		if -math.Cos(s[0])-math.Cos(s[0]+s[1]) > 1 {
			return 0, true
		}
		return -1, false
	},
	rsie.MountainCar: func(c *rsie.Control, policy func(...float64) []float64, s []float64) (float64, bool) {
		action := float64(argmax(policy(s[0], s[1]))) - 1
		s[1] = clip(s[1]+0.001*action-0.0025*math.Cos(3*s[0]), -0.07, 0.07)
		s[0] = clip(s[0]+s[1], -1.2, 0.6)
		if s[0] == -1.2 && s[1] < 0 {
			s[1] = 0
		}
		return -1, s[0] >= 0.5 && s[1] >= 0
	},
}

// rollout returns the sum of rewards from a start and the states after 10 and 25 steps.
func rollout(m *rsie.Model, theta, start []float64) (sum float64, at10, at25 []float64) {
	s := append([]float64(nil), start...)
	policy := func(obs ...float64) []float64 { return dense(m.Layers, theta, obs) }
	for step := 1; step <= m.Control.Horizon; step++ {
		reward, end := steppers[m.Control.Dynamics](m.Control, policy, s)
		sum += reward
		switch step {
		case 10:
			at10 = append([]float64(nil), s...)
		case 25:
			at25 = append([]float64(nil), s...)
		}
		if end {
			break
		}
	}
	return sum, at10, at25
}

// suiteStarts writes the suite's eight starts of the mountain car, at rest.
func suiteStarts(first float64) string {
	var out []string
	for i := range 8 {
		out = append(out, fmt.Sprintf("[%.6g, 0]", first+0.025*float64(i)))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

const swingStarts = `
starts_training: [[-0.8, 0, 2.941593, 0], [-0.6, 0, 3.191593, 0], [-0.4, 0, 3.041593, 0], [-0.2, 0, 3.291593, 0],
  [0, 0, 3.141593, 0], [0.2, 0, 2.991593, 0], [0.4, 0, 3.241593, 0], [0.6, 0, 3.091593, 0]]
starts_test: [[-0.7, 0, 3.066593, 0], [-0.5, 0, 3.316593, 0], [-0.3, 0, 3.166593, 0], [-0.1, 0, 3.016593, 0],
  [0.1, 0, 3.266593, 0], [0.3, 0, 3.116593, 0], [0.5, 0, 2.966593, 0], [0.7, 0, 3.216593, 0]]
`

// controlChecks are the control tasks of the training suite with its check values: training
// fitness, test metric and the second training start after 10 and 25 steps. Zero: not given.
var controlChecks = []struct {
	name, text       string
	check, checkTest float64
	at10, at25       []float64
}{
	{"cartpole_swingup", "system: cartpole_swingup" + swingStarts, -7.07787259590621, -7.383160013413164,
		[]float64{-0.7439536810886122, -1.732831792186892, 2.9682010823089477, -2.5747843808917477},
		[]float64{-1.6456191399316393, -4.392415750390749, 1.9459113558236196, -3.2097264294287493}},
	{"swingup_short", "system: cartpole_swingup\nforce: 8\npole_mass: 0.2\nhalf_length: 0.3" +
		swingStarts, -29.5298082025073, 0, nil, nil},
	{"pendulum", `system: pendulum
starts_training: [[-3.141593, -1], [-2.356194, 0.25], [-1.570796, -0.5], [-0.785398, 0.75], [0, 0],
  [0.785398, -0.75], [1.570796, 0.5], [2.356194, -0.25]]
starts_test: [[-2.748894, -0.375], [-1.963495, 0.875], [-1.178097, 0.125], [-0.392699, -0.625],
  [0.392699, 0.625], [1.178097, -0.125], [1.963495, -0.875], [2.748894, 0.375]]
`, 1605.96543198992, 1612.942737549469,
		[]float64{-3.7647598765595096, -4.4969972882855105}, []float64{-4.908932791868167, 2.0208485882674223}},
	{"acrobot", `system: acrobot
starts_training: [[-0.1, -0.1, -0.1, -0.1], [-0.075, -0.025, 0.025, 0.075], [-0.05, 0.05, -0.05, 0.05],
  [-0.025, -0.075, 0.075, 0.025], [0, 0, 0, 0], [0.025, 0.075, -0.075, -0.025], [0.05, -0.05, 0.05, -0.05],
  [0.075, 0.025, -0.025, -0.075]]
starts_test: [[-0.0875, -0.0625, -0.0375, -0.0125], [-0.0625, 0.0125, 0.0875, -0.0375],
  [-0.0375, 0.0875, 0.0125, -0.0625], [-0.0125, -0.0375, -0.0625, -0.0875], [0.0125, 0.0375, 0.0625, 0.0875],
  [0.0375, -0.0875, -0.0125, 0.0625], [0.0625, -0.0125, -0.0875, 0.0375], [0.0875, 0.0625, 0.0375, 0.0125]]
`, 500, 500,
		[]float64{0.017731677618396266, 0.3561342739257318, 0.006333478650726754, -0.43603529076783526},
		[]float64{0.015978945134278423, 0.4488924426774116, -0.1565146422103672, 0.2193703842325268}},
	{"mountaincar", "system: mountaincar\nstarts_training: " + suiteStarts(-0.6) +
		"\nstarts_test: " + suiteStarts(-0.5875), 200, 0, nil, nil},
}

func TestControlGivesTheSuitesCheckValues(t *testing.T) {
	for _, c := range controlChecks {
		t.Run(c.name, func(t *testing.T) {
			got, err := built(t, new(controlSpec), c.text, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			m := got.Problem.(rsie.Modelled)
			theta := conformance(m.Model())
			for part, want := range map[rsie.Part]float64{rsie.Training: c.check, rsie.Test: c.checkTest} {
				rows := m.Rows(part)
				if rows == nil || rows.S != 8 {
					t.Fatalf("%s: rows %v, want 8 starts", part, rows)
				}
				returns := make([]float64, rows.S)
				for s := range returns {
					width := len(rows.Inputs) / rows.S
					var at10, at25 []float64
					returns[s], at10, at25 = rollout(m.Model(), theta, rows.Inputs[s*width:][:width])
					if part == rsie.Training && s == 1 && c.at10 != nil {
						wantClose(t, "state after 10 steps", at10, c.at10, 1e-9)
						wantClose(t, "state after 25 steps", at25, c.at25, 1e-9)
					}
				}
				metrics := got.Metrics(returns, part)
				if len(metrics) != 1 || metrics[0].Name != "return" || !metrics[0].Maximise {
					t.Fatalf("metrics %v, want one return, maximised", metrics)
				}
				if want != 0 {
					// Sums over chaotic episodes in another order of additions: 1e-9.
					wantClose(t, part.String()+" fitness", []float64{-metrics[0].Value}, []float64{want}, 1e-9)
				}
			}
			if m.Rows(rsie.Validation) != nil {
				t.Error("there are validation starts that the file does not have")
			}
		})
	}
}

// wantClose compares relative to max(1, |want|).
func wantClose(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance*math.Max(1, math.Abs(want[i]))) {
			t.Errorf("%s: number %d is %.17g, want %.17g", what, i, got[i], want[i])
		}
	}
}

func TestControlDefaults(t *testing.T) {
	for name, want := range map[string]rsie.Control{
		"cartpole":               {Dynamics: rsie.CartPole, Horizon: 500, Force: 10, PoleMass: 0.1, HalfLength: 0.5, CartMass: 1},
		"cartpole_swingup":       {Dynamics: rsie.CartPoleSwingUp, Horizon: 300, Force: 10, PoleMass: 0.1, HalfLength: 0.5, CartMass: 1},
		"acrobot":                {Dynamics: rsie.Acrobot, Horizon: 500},
		"mountaincar":            {Dynamics: rsie.MountainCar, Horizon: 200},
		"mountaincar_continuous": {Dynamics: rsie.MountainCarContinuous, Horizon: 999},
		"pendulum":               {Dynamics: rsie.Pendulum, Horizon: 200},
	} {
		got, err := built(t, new(controlSpec), "system: "+name, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		m := got.Problem.(rsie.Modelled)
		if *m.Model().Control != want {
			t.Errorf("%s: %+v, want %+v", name, *m.Model().Control, want)
		}
		state, obs, out := want.Dynamics.Sizes()
		if l := m.Model().Layers; l[0] != obs || l[len(l)-1] != out {
			t.Errorf("%s: layers %v, want %d observations and %d outputs", name, l, obs, out)
		}
		for part := rsie.Training; part <= rsie.Test; part++ {
			if rows := m.Rows(part); rows == nil || rows.S != 8 || len(rows.Inputs) != 8*state {
				t.Errorf("%s: %s has %+v, want 8 states", name, part, rows)
			}
		}
	}
}

// TestDrawnStarts guards range, use of the seed, and that parts differ.
func TestDrawnStarts(t *testing.T) {
	inputs := func(text string, p rsie.Part) []float64 {
		got, err := built(t, new(controlSpec), "system: mountaincar\n"+text, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Problem.(rsie.Modelled).Rows(p).Inputs
	}
	const text = "starts_training: 1000\nstarts_test: 1000\n"
	x := inputs(text, rsie.Training)
	low, high := x[0], x[0]
	for s := range 1000 {
		low, high = min(low, x[2*s]), max(high, x[2*s])
		if x[2*s+1] != 0 {
			t.Fatalf("start %d has velocity %g, want 0", s, x[2*s+1])
		}
	}
	if low < -0.6 || low > -0.598 || high > -0.4 || high < -0.402 {
		t.Errorf("positions span [%g, %g], want nearly all of [-0.6, -0.4]", low, high)
	}
	if inputs(text, rsie.Test)[0] == x[0] || inputs(text+"start_seed: 1", rsie.Training)[0] == x[0] {
		t.Error("test starts or another seed repeat the training starts")
	}
	if inputs(text, rsie.Training)[0] != x[0] {
		t.Error("the same seed gives other starts")
	}
}

func TestControlRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"system: cart":                                             `system "cart"; allowed are cartpole, `,
		"{system: pendulum, horizon: 0}":                           "horizon 0; allowed are 1 to 100000",
		"{system: pendulum, horizon: 100001}":                      "horizon 100001",
		"{system: pendulum, force: 3}":                             "force does not belong to system pendulum",
		"{system: cartpole, pole_mass: 0}":                         "pole_mass 0; allowed are values above 0 up to 1000",
		"{system: cartpole, half_length: .nan}":                    "half_length NaN",
		"{system: cartpole, cart_mass: 1001}":                      "cart_mass 1001",
		"{system: pendulum, starts_training: 0}":                   "starts_training is empty",
		"{system: pendulum, starts_test: 3}":                       "starts_training is empty",
		"{system: pendulum, starts_training: [[1]]}":               "starts_training: state 1 has 1 numbers, want 2",
		"{system: pendulum, starts_training: [[0, 1], [.inf, 0]]}": "state 2, number 1 is +Inf",
	} {
		_, err := built(t, new(controlSpec), text, "", nil)
		wantInvalid(t, err, want)
	}
	_, err := built(t, new(controlSpec), "system: pendulum", "", &NetworkSpec{Kind: "gru"})
	wantInvalid(t, err, "network.kind gru reads sequences")
	if _, err := built(t, new(controlSpec), "{system: pendulum, starts_training: many}", "", nil); err == nil ||
		!strings.Contains(err.Error(), `starts "many", want a number from 0 to 100000 or a list`) {
		t.Errorf("error %v, want one about starts", err)
	}
}

func TestControlDigest(t *testing.T) {
	digest := func(text string) string {
		got, err := built(t, new(controlSpec), text, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Digest()
	}
	base := digest("{system: cartpole}")
	if base != digest("{system: cartpole, force: 10, horizon: 500}") {
		t.Error("writing the defaults out changes the digest")
	}
	seen := map[string]string{base: "base"}
	for _, text := range []string{"{system: cartpole, force: 11}", "{system: cartpole, horizon: 499}",
		"{system: cartpole, pole_mass: 0.2}", "{system: cartpole, start_seed: 1}",
		"{system: cartpole, half_length: 0.6}", "{system: cartpole, cart_mass: 2}",
		"{system: cartpole, starts_training: 7}"} {
		d := digest(text)
		if seen[d] != "" {
			t.Errorf("%s and %s have the same digest", text, seen[d])
		}
		seen[d] = text
	}
}
