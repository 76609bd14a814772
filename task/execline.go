package task

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"

	rsie "github.com/symbio-ai/recursive-improvement"
)

const (
	answerBase     = 64 << 10 // bytes an answer may have, plus ...
	answerPerPoint = 1 << 10  // ... so many per point, and ...
	answerLimit    = 64 << 20 // ... this at most
)

// appendQuestion appends the line for points [from, to).
func appendQuestion(dst []byte, name string, job execJob, from, to int) []byte {
	quotedName, err := json.Marshal(name)
	if err != nil {
		panic("task: every string has a JSON form: " + err.Error())
	}
	dst = append(dst, `{"version":1,"task":`...)
	dst = append(dst, quotedName...)
	dst = append(dst, `,"seed":`...)
	dst = strconv.AppendUint(dst, job.seed, 10)
	dst = append(dst, `,"first":`...)
	dst = strconv.AppendInt(dst, int64(from), 10)
	dst = append(dst, `,"points":[`...)
	for i := from; i < to; i++ {
		if i > from {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		for j, v := range job.points[i*job.dim:][:job.dim] {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendFloat(dst, v, 'g', -1, 64)
		}
		dst = append(dst, ']')
	}
	return append(dst, "]}\n"...)
}

// parseAnswer reads the values of a line. strange counts those that rank worst because they are
// not finite numbers. NaN and Infinity, which JSON lacks and Python writes, count as such.
func parseAnswer(fitness []float64, text []byte) (o outcome, strange int) {
	var answer struct {
		Fitness []json.RawMessage `json:"fitness"`
	}
	if err := json.Unmarshal(nullNaN(text), &answer); err != nil || answer.Fitness == nil {
		return outcomeText, 0
	}
	if len(answer.Fitness) != len(fitness) {
		return outcomeLength, 0
	}
	for i, raw := range answer.Fitness {
		v, err := strconv.ParseFloat(string(raw), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			v = rsie.Worst
			strange++
		}
		fitness[i] = v
	}
	return outcomeAnswer, strange
}

// nullNaN returns text with the words NaN, Infinity and -Infinity outside strings replaced by
// null.
func nullNaN(text []byte) []byte {
	if !bytes.Contains(text, []byte("NaN")) && !bytes.Contains(text, []byte("Infinity")) {
		return text
	}
	out := make([]byte, 0, len(text))
	inside := false
	for i := 0; i < len(text); {
		if !inside {
			word := ""
			for _, w := range []string{"NaN", "Infinity", "-Infinity"} {
				if bytes.HasPrefix(text[i:], []byte(w)) {
					word = w
				}
			}
			if word != "" {
				out = append(out, "null"...)
				i += len(word)
				continue
			}
		}
		if inside && text[i] == '\\' && i+1 < len(text) {
			out = append(out, text[i], text[i+1])
			i += 2
			continue
		}
		if text[i] == '"' {
			inside = !inside
		}
		out = append(out, text[i])
		i++
	}
	return out
}
