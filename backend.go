package rsie

import (
	"fmt"
	"strings"
)

// Buffer is memory of a backend, opaque to everyone else.
type Buffer interface {
	Len() int // elements
}

// Program is a model with its data, loaded to a backend.
type Program interface {
	Model() *Model
	Samples() int // rows, or episodes
}

// Element is what a buffer holds.
type Element uint8

// The elements.
const (
	Float Element = 1 + iota // in the backend's precision
	Index                    // uint32
)

// Op is a population-level operation over all active runs of a state.
type Op uint8

// The operations. "Now" is the generation that was told last, "Next" the one being made. Each
// touches only runs whose table entry asks for it. Formulas stand at the twins in package cpu.
const (
	// OpInitialise fills Next.Points of population runs with starting draws, the mean of
	// distribution runs with one draw, their std with Sigma, and resets Memory.
	OpInitialise Op = 1 + iota
	// OpBreed writes children of Now to Next.Points rows [Elites, Members) of population runs
	// and their first parent to Next.Parent.
	OpBreed
	// OpSample draws Next.Points around the mean (distribution) or anew (random).
	OpSample
	// OpSurvive copies the Elites best members of Now, with fitness and factors, to the first
	// rows of Next; of distribution runs with Elites = 1, the best point so far.
	OpSurvive
	// OpEvaluate writes Next.Fitness of rows [EvalFrom, EvalTo) by the program; rows from EvalTo
	// on become Worst.
	OpEvaluate
	// OpRank writes Next.Order, best first: total order, ties by index, NaN last.
	OpRank
	// OpShare writes Next.Selection, the fitness that parents are chosen by, and its order.
	OpShare
	// OpMeasure updates Memory (spread, best, success share, step) and the best-ever vector.
	OpMeasure
	// OpUpdate moves mean, steps, moments, paths and covariance of distribution runs by Next.
	OpUpdate
	// OpFactor factorises the matrices of svd-mutation runs that have no valid factors.
	OpFactor
	// OpProbe writes the mean, and the point as far beyond it as it has just moved, to the last
	// Probes rows of Next.Points.
	OpProbe
	// OpEvaluateProbes writes the fitness of these rows.
	OpEvaluateProbes
	// OpSettle keeps what the probes found: best point, mean, two-point step control.
	OpSettle
	// OpReplace, after the evaluation and before OpRank, lets the members that children of
	// pairwise runs were made against survive where the children are worse, and updates the
	// archive, the success history and the steps of groups.
	OpReplace
	opEnd
)

// OpCount is one more than the highest operation.
const OpCount = int(opEnd)

// String returns the lower-case name.
func (o Op) String() string {
	return [...]string{"", "initialise", "breed", "sample", "survive", "evaluate", "rank", "share",
		"measure", "update", "factor", "probe", "evaluate probes", "settle", "replace"}[o]
}

// Flags of a table entry.
const (
	FlagActive     uint16 = 1 << iota // the run takes part
	FlagMirrored                      // samples in pairs
	FlagSharing                       // fitness sharing
	FlagAdaptive                      // adaptive mutation rate
	FlagBegin                         // distribution: all memory is reset before sampling
	FlagFromBest                      // with FlagBegin: the mean is the best point, else a draw
	FlagDraws                         // distribution: the members are starting draws, the best becomes the mean
	FlagPath                          // rank-one noise along the path
	FlagDecompose                     // the covariance matrix is decomposed after its update
	FlagWatch                         // OpUpdate writes what termination criteria look at
	FlagPairwise                      // children are compared with one member each
	FlagBestBreeds                    // the first child is one of the best member
	FlagVaryBest                      // differential: the share of best members varies by child
)

// Codes of the table: the order of the values in [StrategySpace], counted from 1.
const (
	CodePopulation, CodeDistribution, CodeRandom                             uint8 = 1, 2, 3
	CodeTournament, CodeRoulette, CodeRankLinear, CodeElitism                uint8 = 1, 2, 3, 4
	CodeGaussian, CodeSVD, CodeDropout, CodeAdaptive                         uint8 = 1, 2, 3, 4
	CodeDifferential, CodeSelfAdaptive                                       uint8 = 5, 6
	CodeBaseRandom, CodeBaseBest, CodeToBest                                 uint8 = 1, 2, 3
	CodeNoHistory, CodeSHADE, CodeLSHADE                                     uint8 = 1, 2, 3
	CodeNormal, CodeOrthogonal, CodeSobol, CodeLowRank                       uint8 = 1, 2, 3, 4
	CodeAveraging, CodeSwapping, CodeWeightedMerge                           uint8 = 1, 2, 3
	CodeCentred, CodeLogarithmic, CodeUtility, CodeEqual, CodeSoftmax        uint8 = 1, 2, 3, 4, 5
	CodeTutorial, CodeLogistic                                               uint8 = 6, 7
	CodePlain, CodeAdam, CodeClipUp                                          uint8 = 1, 2, 3
	CodeNoControl, CodeCumulative, CodePathLength, CodeSuccess, CodeTwoPoint uint8 = 1, 2, 3, 4, 5
	CodeNoCovariance, CodeRankOne, CodeFull, CodeExponential, CodeLimited    uint8 = 1, 2, 3, 4, 5
	CodeNoScales, CodeNatural, CodeVariance                                  uint8 = 1, 2, 3
	CodeLikelihood, CodeDeviation, CodeSepCMA                                uint8 = 4, 5, 6
	CodeFastNES                                                              uint8 = 7
)

// Constants of the operators.
const (
	ImmigrantShare            = 0.1 // of the population, at least one
	AdamEpsilon               = 1e-8
	SuccessTarget             = 0.2
	SuccessGain               = 0.2
	StepLowest, StepHighest   = 1e-6, 1e3
	ScaleLowest, ScaleHighest = 1e-3, 1e2 // of single steps
	SigmaLowest, SigmaHighest = 1e-4, 1e2 // of sigma by a control other than cumulative, as a factor
	MaxSigmaChange            = 0.5       // of ln sigma in a generation, by such a control
	PathGeneration            = 4         // first generation that samples along the path
	OwnStepLowest             = 1e-9      // of a self-adaptive step, as a factor on the strength
	OwnStepHighest            = 10
	HistorySpread             = 0.1 // of rates and strengths around the success history
	MaxHistory                = 128 // entries of a success history, groups of steps
)

// Run is one entry of the run table: what a run's strategy means in this generation. Laws and
// schedules are resolved when it is filled. The layout is fixed, without holes, and shared with
// C and CUDA.
type Run struct {
	Seed       uint64 // of the run's key
	Index      uint32 // run field of the counters, 24 bits
	Generation uint32
	Since      uint32 // generations since the last FlagBegin
	Offset     uint32 // global index of member 0
	Members    uint32 // rows of the run, those of probes included
	Previous   uint32 // members of Now of a population run
	EvalFrom   uint32
	EvalTo     uint32
	Elites     uint32
	Eligible   uint32 // members that truncation selection chooses among
	Tournament uint32
	Niche      uint32 // members a niche keeps
	Mu         uint32 // members that count as good
	Probes     uint32 // rows at the end of the run, evaluated after the update
	ArchiveAt  uint32 // first row in the archive
	Archive    uint32 // rows there, in this generation
	History    uint32 // entries of the success history
	Groups     uint32 // groups of members that share a self-adaptive step; 0: each has its own
	Slot       uint32 // of the run's matrices in State.Matrices, with a full covariance
	Flags      uint16
	Family     uint8
	Selection  uint8
	Mutation   uint8
	Crossover  uint8
	Update     uint8
	Recombine  uint8
	Control    uint8
	Scales     uint8
	Covariance uint8
	Base       uint8 // of differential mutation
	Adaptation uint8 // of the rates of differential mutation
	Sampling   uint8
	_          [6]uint8

	CrossoverRate      float64
	Rate               float64
	Strength           float64
	DiversityThreshold float64
	DiversityBonus     float64

	Sigma          float64 // before the control's factor
	LearningRate   float64
	Momentum       float64
	SecondRate     float64 // of Adam's second moment
	MaxSpeed       float64
	Decay          float64 // share of the mean lost in this generation
	Pull           float64
	WeightExponent float64
	Negative       float64
	Temperature    float64
	MuEff          float64 // variance effective number of good members
	Density        float64
	StartHidden    float64
	StartOutput    float64
	LayerExponent  float64
	OutputStep     float64
	StepGain       float64 // of the control; cumulative: factor on c/d
	PathRate       float64 // c of the step control's path
	PathDamping    float64 // d of the cumulative control
	ScaleRate      float64
	CovPathRate    float64 // c of the evolution path
	CovRankOne     float64 // c1; rank_one: variance along the path
	CovRankMu      float64 // cmu
	StepFactor     float64 // largest change of a self-adaptive step
	ParentShare    float64 // probability of a child of the archive in a distribution run
	ParentStep     float64 // factor on its steps
	ParentCross    float64 // probability that it has two parents
	StartShare     float64 // of the box that starting points are drawn in
}

// Rows of State.Vectors of one run.
const (
	VecMean     = iota
	VecBefore   // mean before the last update
	VecLayer    // fixed factors on the steps by layer
	VecScale    // diagonal factors on the steps, start at 1
	VecMoment1  // of the mean's update
	VecMoment2  // of Adam; v of CR-FM-NES
	VecStepPath // of the step control
	VecPath     // evolution path of the covariance
	VecBest     // best point ever evaluated
	VecCount
)

// VecDirection is the direction v that CR-FM-NES keeps in place of Adam's moment.
const VecDirection = VecMoment2

// Entries of State.Memory of one run.
const (
	MemSpread0   = iota // spread of the first population: sqrt of the mean over j of the variance over i
	MemSpread           // spread of the last population
	MemSpreadSum        // sum over generations of min(1, spread/spread0)
	MemMeasured         // generations summed
	MemStep             // factor on the mutation strength (adaptive), starts at 1
	MemSuccess          // share of children of the last generation better than their first parent
	MemBest             // best fitness ever
	MemSigma            // factor of the step control on sigma, starts at 1
	MemMedian           // median fitness of the last generation
	MemUpdates          // updates since the last FlagBegin
	MemArchive          // rows of the archive in use
	MemHistory          // entry of the success history that is written next
	MemExtent           // with FlagWatch: largest step along a coordinate
	MemCondition        // with FlagWatch: condition number of the covariance
	MemStuck            // with FlagWatch: 1 when a step does not change the mean's digits
	MemCount
)

// Generation is one side of the double buffer; M is the number of members of all runs.
type Generation struct {
	Points    Buffer // Float [M, Stride]
	Fitness   Buffer // Float [M]
	Order     Buffer // Index [M]: per run, member numbers best first
	Selection Buffer // Float [M]
	Choice    Buffer // Index [M]: order of Selection
	Parent    Buffer // Index [M]: first parent of a child, its own number for others
	Factors   Buffer // Float [M, FactorLen], nil unless a run mutates by svd
	Factored  Buffer // Index [M, len(Blocks)]: 1 where Factors are valid, nil like Factors
	Strengths Buffer // Float [M]: own step or differential weight, nil unless a run has such
	Rates     Buffer // Float [M]: crossover rate of differential mutation, nil like Strengths
}

// State is everything a batch of runs has on a backend. Saving and loading all buffers saves
// and loads the runs.
type State struct {
	Shape     Shape
	Stride    int // Dim rounded up to 32
	Runs      int
	Members   int
	FactorLen int
	MatrixLen int // of the matrices of one run
	Now, Next Generation
	Vectors   Buffer // Float [Runs, VecCount, Stride]
	Memory    Buffer // Float [Runs, MemCount]

	// Of runs that keep points besides their population, nil without such.
	Archive        Buffer // Float [Needs.Archive, Stride]
	ArchiveFitness Buffer // Float [Needs.Archive]
	// Strengths, then rates of the success history, or the steps of the groups; nil without.
	History Buffer // Float [Runs, 2, MaxHistory]

	// Matrices is Float [slots, MatrixLen], nil without a run that learns a full covariance.
	// A slot of CodeFull holds C, its eigenvectors as rows and the roots of its eigenvalues; one
	// of CodeExponential the transpose of A with C = A·Aᵀ, the inverse of A, and D unused values.
	Matrices Buffer

	needs Needs
}

// Needs says what a state has to hold.
type Needs struct {
	Members []int // rows of each run
	SVD     bool  // factors of the members
	Own     bool  // strengths and rates of the members
	Archive int   // rows of the archives of all runs
	History bool  // success histories or steps of groups
	Slots   int   // runs that learn a full covariance
}

// MatrixLen returns the length of the matrices of one run with a full covariance of dim
// parameters.
func MatrixLen(dim int) int { return 2*dim*dim + dim }

// MaxFullDim is the largest number of parameters whose full covariance is learned; above it the
// diagonal alone is.
const MaxFullDim = 256

// Info describes a backend.
type Info struct {
	Name    string // native, gonum, cuda:0
	Variant string // of native, by instruction set: scalar, avx2 or avx512
	Bits    int    // precision of floats: 32 or 64
	Memory  int    // bytes that buffers may take, 0: no bound is set
	Ops     [OpCount]bool
	Device  string // in words
}

// RequireVariable names the environment variable that says which backend must be in use, so that
// another one cannot take its place unseen: a name as of [Info.Is].
const RequireVariable = "RSIE_REQUIRE_BACKEND"

// Is says whether a backend is the one that a name asks for: gonum, native, native-avx512, cuda (any
// device) or cuda:1.
func (i Info) Is(name string) bool {
	kind, _, _ := strings.Cut(i.Name, ":")
	return name == i.Name || name == kind || i.Variant != "" && name == i.Name+"-"+i.Variant
}

// Backend runs operations on populations. Implementations are safe for one caller at a time
// per state; several states may be used at once.
//
// Errors carry the operation and the shape. After Close every call fails.
type Backend interface {
	Info() Info
	// Alloc returns n zeroed elements owned by the backend until Free.
	Alloc(e Element, n int) (Buffer, error)
	Free(Buffer)
	// Upload copies src to dst from element at; values of Index buffers are whole numbers.
	Upload(dst Buffer, at int, src []float64) error
	// Download copies len(dst) elements of src from element at; it waits for queued work.
	Download(dst []float64, src Buffer, at int) error
	// Load copies rows to the device and compiles the model.
	Load(m *Model, rows *Rows) (Program, error)
	// Predict writes what the networks of points [n, Dim] put out on all rows of p:
	// dst is [n, S, out], for Return [n, S], the sum of rewards of each episode.
	Predict(dst []float64, p Program, points []float64) error
	// Do runs ops in order over the runs of the table, len(runs) = s.Runs. p may be nil when
	// ops have no OpEvaluate. Nothing is allocated. With runs and keys equal, results are the
	// same bits for any number of workers and any composition of the batch.
	Do(s *State, runs []Run, p Program, ops []Op) error
	Close() error
}

// Stride returns dim rounded up to a multiple of 32.
func Stride(dim int) int { return (dim + 31) &^ 31 }

// FactorLen returns the length of the cached factors of one member: U, s, V of every block with
// both sides above one.
func FactorLen(blocks []Block) int {
	n := 0
	for _, b := range blocks {
		if b.Rows > 1 && b.Cols > 1 {
			k := min(b.Rows, b.Cols)
			n += b.Rows*k + k + b.Cols*k
		}
	}
	return n
}

// NewState allocates a state. On an error nothing stays allocated.
func NewState(b Backend, shape Shape, needs Needs) (*State, error) {
	if err := shape.Check(); err != nil {
		return nil, err
	}
	if bits := b.Info().Bits; shape.Bits > bits {
		return nil, fmt.Errorf("%w: %s needs %d-bit floats, %s has %d; use --backend gonum",
			ErrUnsupported, shape.Name, shape.Bits, b.Info().Name, bits)
	}
	s := &State{Shape: shape, Stride: Stride(shape.Dim), Runs: len(needs.Members), needs: needs}
	for _, n := range needs.Members {
		s.Members += n
	}
	if needs.SVD {
		s.FactorLen = FactorLen(shape.Blocks)
	}
	if needs.Slots > 0 {
		s.MatrixLen = MatrixLen(shape.Dim)
	}
	for _, a := range s.layout() {
		if a.n == 0 {
			continue
		}
		buf, err := b.Alloc(a.e, a.n)
		if err != nil {
			s.Free(b)
			return nil, err
		}
		*a.at = buf
	}
	return s, nil
}

type slot struct {
	at *Buffer
	e  Element
	n  int
}

// layout lists every buffer of s in the order of a snapshot.
func (s *State) layout() []slot {
	out := []slot{
		{&s.Vectors, Float, s.Runs * VecCount * s.Stride},
		{&s.Memory, Float, s.Runs * MemCount},
		{&s.Matrices, Float, s.needs.Slots * s.MatrixLen},
	}
	out = append(out,
		slot{&s.Archive, Float, s.needs.Archive * s.Stride},
		slot{&s.ArchiveFitness, Float, s.needs.Archive})
	if s.needs.History {
		out = append(out, slot{&s.History, Float, s.Runs * 2 * MaxHistory})
	}
	factored, own := 0, 0
	if s.needs.Own {
		own = s.Members
	}
	if s.FactorLen > 0 {
		factored = s.Members * len(s.Shape.Blocks)
	}
	for _, g := range []*Generation{&s.Now, &s.Next} {
		out = append(out,
			slot{&g.Points, Float, s.Members * s.Stride},
			slot{&g.Fitness, Float, s.Members},
			slot{&g.Order, Index, s.Members},
			slot{&g.Selection, Float, s.Members},
			slot{&g.Choice, Index, s.Members},
			slot{&g.Parent, Index, s.Members},
			slot{&g.Factors, Float, s.Members * s.FactorLen},
			slot{&g.Factored, Index, factored},
			slot{&g.Strengths, Float, own},
			slot{&g.Rates, Float, own})
	}
	return out
}

// Slots returns the number of runs that have matrices.
func (s *State) Slots() int { return s.needs.Slots }

// Swap makes Next the generation that was told last.
func (s *State) Swap() { s.Now, s.Next = s.Next, s.Now }

// Free gives all buffers back; it may be called twice.
func (s *State) Free(b Backend) {
	for _, a := range s.layout() {
		if *a.at != nil {
			b.Free(*a.at)
			*a.at = nil
		}
	}
}

// Save returns the values of all buffers of s in one slice.
func (s *State) Save(b Backend) ([]float64, error) {
	total := 0
	for _, a := range s.layout() {
		total += a.n
	}
	out := make([]float64, total)
	at := 0
	for _, a := range s.layout() {
		if a.n == 0 {
			continue
		}
		if err := b.Download(out[at:at+a.n], *a.at, 0); err != nil {
			return nil, err
		}
		at += a.n
	}
	return out, nil
}

// Restore loads what [State.Save] returned for a state of the same sizes, or returns [ErrShape].
func (s *State) Restore(b Backend, saved []float64) error {
	for _, a := range s.layout() {
		if a.n == 0 {
			continue
		}
		if len(saved) < a.n {
			return fmt.Errorf("%w: saved state is %d values short", ErrShape, a.n-len(saved))
		}
		if err := b.Upload(*a.at, 0, saved[:a.n]); err != nil {
			return err
		}
		saved = saved[a.n:]
	}
	if len(saved) != 0 {
		return fmt.Errorf("%w: saved state is %d values too long", ErrShape, len(saved))
	}
	return nil
}
