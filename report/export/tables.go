package export

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// create writes the file NAME of a folder, which must exist, and reports the first error.
func create(dir, name string, write func(io.Writer) error) error {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	b := bufio.NewWriter(f)
	err = write(b)
	if err == nil {
		err = b.Flush()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// CSV writes a file per table to a folder: a header, then a line per row; null is empty.
func CSV(d *Data, dir string) error {
	for _, t := range []struct {
		name string
		rows any
	}{{"generations", d.Generations}, {"strategies", d.Strategies}, {"genes", d.Genes}, {"results", d.Results},
		{"finals", d.Finals}, {"curves", d.Curves}} {
		err := create(dir, t.name+".csv", func(w io.Writer) error { return writeCSV(w, reflect.ValueOf(t.rows)) })
		if err != nil {
			return err
		}
	}
	return nil
}

// writeCSV writes a slice of structs, whose columns are named by their json tags.
func writeCSV(w io.Writer, rows reflect.Value) error {
	out := csv.NewWriter(w)
	of := rows.Type().Elem()
	cells := make([]string, of.NumField())
	for k := range cells {
		cells[k], _, _ = strings.Cut(of.Field(k).Tag.Get("json"), ",")
	}
	if err := out.Write(cells); err != nil {
		return err
	}
	for i := range rows.Len() {
		for k := range cells {
			cells[k] = cell(rows.Index(i).Field(k))
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func cell(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	if v.Kind() == reflect.Float64 {
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(v.Interface())
}

// JSON writes run.json: an object with the tables as lists of objects.
func JSON(d *Data, dir string) error {
	return create(dir, "run.json", func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(struct {
			Format  string `json:"format"`
			Version int    `json:"version"`
			Run     string `json:"run"`
			Command string `json:"command"` // that makes the run again
			*Data
		}{"rsie-run", 1, d.Run.Name, d.Run.Command, d})
	})
}

// Parquet writes a file per table to a folder, compressed with snappy.
func Parquet(d *Data, dir string) error {
	for _, write := range []func() error{
		func() error { return writeParquet(dir, "generations", d.Generations) },
		func() error { return writeParquet(dir, "strategies", d.Strategies) },
		func() error { return writeParquet(dir, "genes", d.Genes) },
		func() error { return writeParquet(dir, "results", d.Results) },
		func() error { return writeParquet(dir, "finals", d.Finals) },
		func() error { return writeParquet(dir, "curves", d.Curves) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

func writeParquet[T any](dir, name string, rows []T) error {
	return create(dir, name+".parquet", func(w io.Writer) error {
		p := parquet.NewGenericWriter[T](w, parquet.Compression(&parquet.Snappy))
		if _, err := p.Write(rows); err != nil {
			return err
		}
		return p.Close()
	})
}
