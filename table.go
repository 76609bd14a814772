package rsie

import "fmt"

// Check returns [ErrShape] unless the table has what operations on s rely on, and [ErrUnsupported]
// for an operation that there is not. s may be nil.
func (s *State) Check(runs []Run, ops []Op) error {
	if s == nil {
		return fmt.Errorf("%w: no state", ErrShape)
	}
	if len(runs) != s.Runs {
		return fmt.Errorf("%w: a table of %d runs, want %d", ErrShape, len(runs), s.Runs)
	}
	if s.Stride < s.Shape.Dim || s.Shape.Dim < 1 {
		return fmt.Errorf("%w: stride %d", ErrShape, s.Stride)
	}
	end := 0
	for r := range runs {
		if err := checkRun(&runs[r], end, s); err != nil {
			return fmt.Errorf("run %d: %w", r, err)
		}
		end = int(runs[r].Offset) + int(runs[r].Members)
	}
	for _, op := range ops {
		if op < OpInitialise || int(op) >= OpCount {
			return fmt.Errorf("%w: operation %d", ErrUnsupported, uint8(op))
		}
	}
	return nil
}

// checkRun tests what the operations rely on; end is where the previous run ends.
func checkRun(t *Run, end int, s *State) error {
	n := t.Members
	bad := func(what string, value, lowest, highest uint32) error {
		return fmt.Errorf("%w: %s %d, want %d to %d", ErrShape, what, value, lowest, highest)
	}
	switch {
	case int(t.Offset) < end || int(t.Offset)+int(n) > s.Members:
		return fmt.Errorf("%w: members [%d, %d), want within [%d, %d)", ErrShape, t.Offset,
			int(t.Offset)+int(n), end, s.Members)
	case t.Flags&FlagActive == 0:
		return nil
	case n < 1:
		return bad("members", n, 1, uint32(s.Members))
	case t.Index >= 1<<24:
		return bad("index", t.Index, 0, 1<<24-1)
	case t.EvalTo > n:
		return bad("eval_to", t.EvalTo, 0, n)
	case t.EvalFrom > t.EvalTo:
		return bad("eval_from", t.EvalFrom, 0, t.EvalTo)
	case t.Family < 1 || t.Family > CodeRandom:
		return bad("family", uint32(t.Family), 1, uint32(CodeRandom))
	case t.Family == CodeDistribution:
		return checkDistribution(t, s, bad)
	case t.Family != CodePopulation:
		return nil
	case t.Elites > n:
		return bad("elites", t.Elites, 0, n)
	case t.Flags&FlagBegin == 0 && (t.Previous < 1 || t.Elites > t.Previous):
		return bad("previous", t.Previous, max(1, t.Elites), uint32(s.Members))
	case t.Mutation == CodeDifferential || t.Mutation == CodeSelfAdaptive:
		if err := checkAdaptation(t, s, bad); err != nil {
			return err
		}
	}
	return checkSelection(t, s, bad)
}

// checkSelection tests how the parents of a population run are chosen and changed.
func checkSelection(t *Run, s *State, bad func(string, uint32, uint32, uint32) error) error {
	n := t.Members
	switch {
	case t.Selection < 1 || t.Selection > CodeElitism:
		return bad("selection", uint32(t.Selection), 1, uint32(CodeElitism))
	case t.Mutation < 1 || t.Mutation > CodeSelfAdaptive:
		return bad("mutation", uint32(t.Mutation), 1, uint32(CodeSelfAdaptive))
	case t.Crossover < 1 || t.Crossover > CodeWeightedMerge:
		return bad("crossover", uint32(t.Crossover), 1, uint32(CodeWeightedMerge))
	case t.Selection == CodeTournament && (t.Tournament < 1 || t.Tournament > 1<<20):
		return bad("tournament", t.Tournament, 1, 1<<20)
	case t.Selection == CodeElitism && (t.Eligible < 1 || t.Flags&FlagBegin == 0 && t.Eligible > t.Previous):
		return bad("eligible", t.Eligible, 1, n)
	case t.Flags&FlagSharing != 0 && t.Niche < 1:
		return bad("niche", t.Niche, 1, n)
	case t.Mutation == CodeSVD && s.FactorLen == 0 && FactorLen(s.Shape.Blocks) > 0:
		return fmt.Errorf("%w: svd mutation in a state without factors", ErrShape)
	}
	return nil
}

// checkAdaptation tests the entries of runs with strengths or rates of their own.
func checkAdaptation(t *Run, s *State, bad func(string, uint32, uint32, uint32) error) error {
	missing := func(what string) error {
		return fmt.Errorf("%w: a run that needs %s in a state without", ErrShape, what)
	}
	differential := t.Mutation == CodeDifferential
	switch {
	case differential && (t.Base < 1 || t.Base > CodeToBest):
		return bad("base", uint32(t.Base), 1, uint32(CodeToBest))
	case differential && (t.Adaptation < 1 || t.Adaptation > CodeLSHADE):
		return bad("adaptation", uint32(t.Adaptation), 1, uint32(CodeLSHADE))
	case differential && t.Adaptation != CodeNoHistory && (t.History < 1 || t.History > MaxHistory):
		return bad("history", t.History, 1, MaxHistory)
	case t.Groups > MaxHistory:
		return bad("groups", t.Groups, 0, MaxHistory)
	case s.Next.Strengths == nil || s.Next.Rates == nil:
		return missing("strengths")
	case s.History == nil && (t.Groups > 0 || differential && t.Adaptation != CodeNoHistory):
		return missing("a history")
	}
	return checkArchive(t, s, 0)
}

// checkArchive tests that the archive of a run, and further rows behind it, lie within the state's.
func checkArchive(t *Run, s *State, further int) error {
	rows := 0
	if s.ArchiveFitness != nil {
		rows = s.ArchiveFitness.Len()
	}
	if int(t.ArchiveAt)+int(t.Archive)+further > rows {
		return fmt.Errorf("%w: archive [%d, %d), want within [0, %d)", ErrShape, t.ArchiveAt,
			int(t.ArchiveAt)+int(t.Archive)+further, rows)
	}
	return nil
}

// checkDistribution tests the entries of a distribution run.
func checkDistribution(t *Run, s *State, bad func(string, uint32, uint32, uint32) error) error {
	for _, f := range [...]struct {
		what      string
		code, top uint8
	}{
		{"update", t.Update, CodeClipUp},
		{"recombination", t.Recombine, CodeLogistic},
		{"step control", t.Control, CodeTwoPoint},
		{"scales", t.Scales, CodeFastNES},
		{"covariance", t.Covariance, CodeLimited},
		{"sampling", t.Sampling, CodeLowRank},
	} {
		if f.code < 1 || f.code > f.top {
			return bad(f.what, uint32(f.code), 1, uint32(f.top))
		}
	}
	switch {
	case (t.Covariance == CodeFull || t.Covariance == CodeExponential) && int(t.Slot) >= s.Slots():
		return fmt.Errorf("%w: slot %d of %d for a full covariance", ErrShape, t.Slot, s.Slots())
	case t.Elites > 1:
		return bad("elites", t.Elites, 0, 1)
	case t.Probes > 2 || t.EvalTo+t.Probes > t.Members:
		return bad("probes", t.Probes, 0, min(2, t.Members-t.EvalTo))
	}
	if t.Covariance == CodeLimited {
		return checkArchive(t, s, LimitedVectors(s.Shape.Dim))
	}
	return checkArchive(t, s, 0)
}
