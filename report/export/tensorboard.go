package export

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of tensorflow.Event, Summary and Summary.Value that are written.
// Source: tensorflow/core/util/event.proto and framework/summary.proto.
const (
	eventTime    = 1 // double, seconds
	eventStep    = 2 // int64
	eventVersion = 3 // string
	eventSummary = 5 // message
	summaryValue = 1 // message
	valueTag     = 1 // string
	valueSimple  = 2 // float
)

// TensorBoard writes an event file to a folder: scalars per generation, and the qualities of the
// final table at the step after the last. Steps count generations from 1.
func TensorBoard(d *Data, dir string) error {
	at := clock(d)
	name := fmt.Sprintf("events.out.tfevents.%d.rsie", int64(at(-1)))
	return create(dir, name, func(w io.Writer) error {
		version := protowire.AppendTag(event(at(-1), 0), eventVersion, protowire.BytesType)
		if err := record(w, protowire.AppendString(version, "brain.Event:2")); err != nil {
			return err
		}
		for _, g := range d.Generations {
			values := map[string]float64{"meta_fitness/best": value(g.Best), "meta_fitness/median": value(g.Median),
				"evaluations": float64(g.Evaluations)}
			if err := record(w, scalars(at(int(g.Generation)), g.Generation+1, values)); err != nil {
				return err
			}
		}
		final := map[string]float64{}
		for _, f := range d.Finals {
			if f.Role == "universal winner" {
				final["quality/"+f.Task] = f.Quality
				final["meta_fitness/winner"] = f.MetaFitness
			}
		}
		if len(final) == 0 {
			return nil
		}
		return record(w, scalars(at(len(d.Generations)), int64(len(d.Generations))+1, final))
	})
}

func value(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// clock returns the time at the end of a generation, -1 being the start, in seconds since 1970: as
// the run kept it, else a second per generation.
func clock(d *Data) func(generation int) float64 {
	began := 0.0
	ends := map[int]float64{}
	for _, s := range d.Run.Timeline.Sessions {
		t, err := time.Parse(time.RFC3339, s.Began)
		if err != nil {
			continue
		}
		now := float64(t.Unix())
		if began == 0 {
			began = now
		}
		for _, p := range s.Steps {
			now += p.Seconds
			if p.Name == "search" {
				ends[p.Generation] = now
			} else {
				ends[len(d.Generations)] = now
			}
		}
	}
	return func(g int) float64 {
		if t, ok := ends[g]; ok {
			return t
		}
		return began + float64(g+1)
	}
}

// event returns the head of an Event.
func event(seconds float64, step int64) []byte {
	b := protowire.AppendTag(nil, eventTime, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(seconds))
	b = protowire.AppendTag(b, eventStep, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(step))
}

func scalars(seconds float64, step int64, values map[string]float64) []byte {
	var summary []byte
	for _, tag := range sortedKeys(values) {
		one := protowire.AppendTag(nil, valueTag, protowire.BytesType)
		one = protowire.AppendString(one, tag)
		one = protowire.AppendTag(one, valueSimple, protowire.Fixed32Type)
		one = protowire.AppendFixed32(one, math.Float32bits(float32(values[tag])))
		summary = protowire.AppendTag(summary, summaryValue, protowire.BytesType)
		summary = protowire.AppendBytes(summary, one)
	}
	b := protowire.AppendTag(event(seconds, step), eventSummary, protowire.BytesType)
	return protowire.AppendBytes(b, summary)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the checksum of TFRecord: the CRC-32C rotated by 15 bits plus a constant.
func masked(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// record writes one TFRecord: length, its checksum, data, its checksum.
func record(w io.Writer, data []byte) error {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b[:8]))
	b = append(b, data...)
	b = binary.LittleEndian.AppendUint32(b, masked(data))
	_, err := w.Write(b)
	return err
}
