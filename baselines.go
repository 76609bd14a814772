package rsie

import "fmt"

// Baselines returns the hand-designed strategies that level 2 starts from and is compared
// with: the published default genome, then SimpleGA, OpenAI-ES and SNES with settings tuned on
// the ten training tasks of the embedded suite, SNES with its library defaults, and random
// search as the floor.
//
// Sources: F. P. Such et al., arXiv:1712.06567 (SimpleGA); T. Salimans et al.,
// arXiv:1703.03864 (OpenAI-ES); T. Schaul et al., GECCO 2011 (SNES).
func Baselines() []Strategy {
	return []Strategy{
		baseline("default", func(s *Strategy) {}),
		baseline("simple-ga", func(s *Strategy) {
			s.Selection, s.TruncationRatio, s.ElitismRatio = Elitism, 0.1, 0
			s.CrossoverRate, s.DiversityThreshold = 0, 0
			s.MutationRate, s.MutationStrength, s.StrengthEnd = 1, 0.428, 0.03792
		}),
		baseline("openai-es", func(s *Strategy) {
			s.Family = Distribution
			s.Sigma = Law{Value: 0.1273, Schedule: Exponential, End: 0.3}
			// A constant rate of 0.2897 in units of the parameters.
			s.LearningRate = Law{Value: 0.2897 / 0.1273, Schedule: Exponential, End: 1 / 0.3}
		}),
		baseline("snes", func(s *Strategy) {
			snes(s, 0.173, 1.699, 2.931)
		}),
		baseline("snes-default", func(s *Strategy) {
			snes(s, 1, 1, 1)
		}),
		baseline("random-search", func(s *Strategy) { s.Family = Random }),
	}
}

// snes sets the separable natural evolution strategy with its rates as factors on the defaults.
func snes(s *Strategy, sigma, rate, scaleRate float64) {
	s.Family, s.Mirrored, s.Recombination = Distribution, false, Utility
	s.UpdateRule, s.Momentum, s.LearningRate, s.Sigma = Plain, 0, Fixed(rate), Fixed(sigma)
	s.ScaleRule, s.ScaleRateRule, s.ScaleRate = NaturalRule, Textbook, Fixed(scaleRate)
}

func baseline(name string, set func(*Strategy)) Strategy {
	s := DefaultStrategy()
	s.GenomeID = name
	set(&s)
	return StrategySpace.Canonical(s)
}

// Baseline returns the hand-designed strategy of a name, or [ErrNotFound] with the names.
func Baseline(name string) (Strategy, error) {
	var names []string
	for _, s := range Baselines() {
		if s.GenomeID == name {
			return s, nil
		}
		names = append(names, s.GenomeID)
	}
	return Strategy{}, fmt.Errorf("%w: strategy %q; the hand-designed ones are %v",
		ErrNotFound, name, names)
}
