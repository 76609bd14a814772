package report

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// Figure returns a heat map as a picture: a cell for each value with its text, the first row on top.
// A page shows the same as a table.
func (h HeatMap) Figure() Figure {
	f := Figure{ID: h.ID, Title: h.Title, Says: h.Says, Wide: true,
		X: Axis{Low: -0.5, Up: float64(len(h.Columns)) - 0.5, Ticks: []Tick{}, Aslant: len(h.Columns) > 4},
		Y: Axis{Low: 0.5 - float64(len(h.Rows)), Up: 0.5, Ticks: []Tick{}}, Tall: 120 + 20*len(h.Rows)}
	for c, name := range h.Columns {
		f.X.Ticks = append(f.X.Ticks, Tick{float64(c), name})
	}
	s := Series{Mark: Cells}
	for i, row := range h.Rows {
		f.Y.Ticks = append(f.Y.Ticks, Tick{-float64(i), fmt.Sprintf("%s  %s", row.Name, row.Note)})
		for c, cell := range row.Cells {
			v := math.NaN()
			if !math.IsNaN(cell.Value) {
				v = h.part(cell)
			}
			s.X, s.Y, s.Low = append(s.X, float64(c)), append(s.Y, -float64(i)), append(s.Low, v)
			s.Texts = append(s.Texts, cell.Text())
		}
	}
	f.Series = []Series{s}
	return f
}

// part returns the value of a cell as a part of the darkest, in [0,1].
func (h HeatMap) part(c HeatCell) float64 {
	top := h.Top
	if top <= 0 {
		top = 1
	}
	return min(max(c.Value/top, 0), 1)
}

// addCells draws the cells of a heat map, shaded as on a page.
func (s Series) addCells(p *plot.Plot) error {
	const gap = 0.48
	for i := range s.X {
		x, y := s.X[i], s.Y[i]
		cell, err := plotter.NewPolygon(plotter.XYs{{X: x - gap, Y: y - gap}, {X: x + gap, Y: y - gap}, {X: x + gap, Y: y + gap}, {X: x - gap, Y: y + gap}})
		if err != nil {
			return err
		}
		fill := colours[0]
		fill.A = 0
		if v := s.Low[i]; !math.IsNaN(v) {
			fill.A = uint8(math.Round(255 * 0.66 * v))
		}
		cell.Color, cell.LineStyle.Width = fill, 0
		labels, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: x, Y: y}}, Labels: []string{s.Texts[i]}})
		if err != nil {
			return err
		}
		style := &labels.TextStyle[0]
		style.XAlign, style.YAlign, style.Color = text.XCenter, text.YCenter, color.Black
		style.Font.Size, style.Font.Variant = vg.Points(8.5), "Sans"
		p.Add(cell, labels)
	}
	return nil
}
