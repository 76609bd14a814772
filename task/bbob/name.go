package bbob

import (
	"fmt"
	"strconv"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// First parts of names.
const (
	family      = "bbob"
	noisyFamily = "bbob-noisy"
)

// GroupInstances is the number of instances, counted from 1, in a group.
const GroupInstances = 5

func name(family string, number, dim, instance int) string {
	return fmt.Sprintf("%s/f%d/d%d/i%d", family, number, dim, instance)
}

// Parse reads the name of a function, "bbob/f3/d5/i7" or "bbob-noisy/f101/d5/i1"; the instance
// may be left out and is 1 then. Function numbers are 1..24 and 101..130.
//
// It returns [rsie.ErrInvalid] when the text is not such a name or a number is out of range.
func Parse(name string) (function, dim, instance int, err error) {
	parts := strings.Split(name, "/")
	instance = 1
	bad := fmt.Errorf("%w: %q is no function name, want bbob/f3/d5/i7 or bbob-noisy/f101/d5/i1",
		rsie.ErrInvalid, name)
	if len(parts) < 3 || len(parts) > 4 {
		return 0, 0, 0, bad
	}
	lowest, highest := 1, Functions
	switch parts[0] {
	case family:
	case noisyFamily:
		lowest, highest = FirstNoisy, LastNoisy
	default:
		return 0, 0, 0, bad
	}
	for i, at := range []*int{&function, &dim, &instance}[:len(parts)-1] {
		digits, ok := strings.CutPrefix(parts[i+1], "fdi"[i:i+1])
		// Atoi also reads signs and leading zeros, which would give one function two names.
		if v, err := strconv.Atoi(digits); ok && err == nil && strconv.Itoa(v) == digits {
			*at = v
			continue
		}
		return 0, 0, 0, bad
	}
	if function < lowest || function > highest {
		return 0, 0, 0, fmt.Errorf("%w: %q: function is %d, allowed in %s is %d to %d",
			rsie.ErrInvalid, name, function, parts[0], lowest, highest)
	}
	if err := checkSize(dim, instance); err != nil {
		return 0, 0, 0, fmt.Errorf("%q: %w", name, err)
	}
	return function, dim, instance, nil
}

// Group returns the names in a group, "bbob/5d" or "bbob-noisy/5d": all functions of the family
// in that dimension, instances 1..[GroupInstances], ordered by function, then instance.
//
// It returns [rsie.ErrInvalid] when the text is not such a group.
func Group(group string) ([]string, error) {
	first, rest, _ := strings.Cut(group, "/")
	digits, ok := strings.CutSuffix(rest, "d")
	dim, err := strconv.Atoi(digits)
	if !ok || err != nil || strconv.Itoa(dim) != digits || (first != family && first != noisyFamily) {
		return nil, fmt.Errorf("%w: %q is no group of functions, want bbob/5d or bbob-noisy/5d",
			rsie.ErrInvalid, group)
	}
	if err := checkSize(dim, 1); err != nil {
		return nil, fmt.Errorf("%q: %w", group, err)
	}
	lowest, highest := 1, Functions
	if first == noisyFamily {
		lowest, highest = FirstNoisy, LastNoisy
	}
	var out []string
	for number := lowest; number <= highest; number++ {
		for instance := 1; instance <= GroupInstances; instance++ {
			out = append(out, name(first, number, dim, instance))
		}
	}
	return out, nil
}
