package report

import (
	"fmt"
	"image/color"
	"io"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	_ "gonum.org/v1/plot/vg/vgimg" // png
	_ "gonum.org/v1/plot/vg/vgsvg" // svg
)

// colours are those of the light style sheet: categories, then shades of an order.
var colours = []color.NRGBA{{0, 114, 178, 255}, {194, 78, 0, 255}, {0, 128, 92, 255}, {176, 84, 138, 255}, {138, 101, 8, 255},
	{42, 134, 191, 255}, {113, 80, 143, 255}, {124, 132, 141, 255}}

var shades = []color.NRGBA{{201, 204, 209, 255}, {185, 207, 227, 255}, {134, 179, 217, 255}, {63, 135, 191, 255}, {10, 79, 134, 255}}

// dashes tell lines apart without colour.
var dashes = [][]vg.Length{nil, {7, 3}, {2, 3}, {9, 3, 2, 3}, {12, 4}, {4, 2}, {9, 3, 2, 3, 2, 3}, nil}

// WriteImage writes the figure as a file of its own: format svg or png. width is in centimetres; the
// height follows. A figure with nothing to draw is [rsie.ErrUnsupported].
func (f Figure) WriteImage(w io.Writer, format string, width float64) error {
	if f.Empty() {
		return fmt.Errorf("%w: there is nothing to draw for %s in this run", rsie.ErrUnsupported, f.ID)
	}
	f.fit()
	p := plot.New()
	p.Title.Text = f.Title
	p.Title.Padding = vg.Points(6)
	p.BackgroundColor = color.White
	p.X.Label.Text, p.Y.Label.Text = f.X.Title, f.Y.Title
	setAxis(&p.X, f.X, 6)
	setAxis(&p.Y, f.Y, 5)
	if f.X.Vertical || f.X.Aslant {
		p.X.Tick.Label.Rotation, p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = math.Pi/7, text.XRight, text.YCenter
	}
	if f.X.Vertical {
		p.HideY()
		if err := addPoles(p, f.X.Ticks); err != nil {
			return err
		}
	}
	for _, s := range f.Series {
		if err := s.addTo(p, f); err != nil {
			return err
		}
	}
	addLabels(p, f.Labels)
	sans(p)
	wide := vg.Length(width) * vg.Centimeter
	canvas, err := draw.NewFormattedCanvas(wide, wide*f.ratio(), format)
	if err != nil {
		return fmt.Errorf("%w: format %q: %w", rsie.ErrInvalid, format, err)
	}
	f.paint(p, draw.New(canvas))
	_, err = canvas.WriteTo(w)
	return err
}

// ratio returns the height of the picture for a width of 1.
func (f Figure) ratio() vg.Length {
	switch {
	case f.X.Vertical:
		return 0.6 // its names are written aslant below
	case f.Tall == 0:
		return 0.62
	case f.Series[0].Mark == Cells:
		return vg.Length(f.Tall) / 600
	case f.Wide:
		return max(0.32, vg.Length(f.Tall)/650)
	case f.Small && f.Y.Ticks == nil:
		return 0.55
	}
	return vg.Length(f.Tall) / drawWidth
}

// addPoles draws a line from 0 to 1 at each tick.
func addPoles(p *plot.Plot, at []Tick) error {
	for _, t := range at {
		l, err := plotter.NewLine(plotter.XYs{{X: t.At, Y: 0}, {X: t.At, Y: 1}})
		if err != nil {
			return err
		}
		l.LineStyle = draw.LineStyle{Color: colours[7], Width: vg.Points(0.8)}
		p.Add(l)
	}
	return nil
}

// sans sets the plain typeface of the page, in sizes for print.
func sans(p *plot.Plot) {
	for _, s := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label} {
		s.Font.Variant = "Sans"
		s.Font.Size = vg.Points(9)
	}
	p.Title.TextStyle.Font.Size = vg.Points(12)
}

// paint draws the plot within a margin, its legend to the right of it.
func (f Figure) paint(p *plot.Plot, c draw.Canvas) {
	const margin, sample = 10, 26 // points
	area := draw.Crop(c, margin, -margin, margin, -margin)
	if f.X.Vertical {
		area = draw.Crop(area, 3*margin, 0, 0, 0)
	}
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	legend, longest := plot.NewLegend(), vg.Length(0)
	legend.Top, legend.Left = true, true
	legend.TextStyle.Font.Variant, legend.TextStyle.Font.Size = "Sans", vg.Points(8.5)
	legend.ThumbnailWidth, legend.Padding = vg.Points(sample-4), vg.Points(2)
	for _, s := range f.Legend() {
		legend.Add(s.Name, thumbnail{s})
		longest = max(longest, legend.TextStyle.Width(s.Name))
	}
	if longest > 0 {
		strip := vg.Points(sample) + longest
		at := draw.Crop(area, area.Size().X-strip, 0, 0, -vg.Points(20))
		legend.Draw(at)
		area = draw.Crop(area, 0, -strip-vg.Points(10), 0, 0)
	}
	p.Draw(area)
}

func setAxis(to *plot.Axis, from Axis, n int) {
	to.Min, to.Max = from.Low, from.Up
	if from.Log {
		to.Scale = plot.LogScale{}
	}
	var ticks []plot.Tick
	for _, t := range from.ticks(n) {
		ticks = append(ticks, plot.Tick{Value: t.At, Label: t.Text})
	}
	to.Tick.Marker = plot.ConstantTicks(ticks)
}

func (s Series) colour() color.NRGBA {
	if s.Shade > 0 {
		return shades[s.Shade-1]
	}
	return colours[s.Colour%len(colours)]
}

func (s Series) style() draw.LineStyle {
	out := draw.LineStyle{Color: s.colour(), Width: vg.Points(1.2)}
	switch {
	case s.Strong:
		out.Width = vg.Points(2.2)
	case s.Faint:
		out.Width = vg.Points(0.5)
	}
	if s.Shade == 0 {
		out.Dashes = dashes[s.Colour%len(dashes)]
	}
	return out
}

// addTo adds a series to a plot.
func (s Series) addTo(p *plot.Plot, f Figure) error {
	switch s.Mark {
	case Cells:
		return s.addCells(p)
	case Line, Steps:
		return s.addLine(p)
	case Band, Area:
		var outline plotter.XYs
		for i := range s.X {
			outline = append(outline, plotter.XY{X: s.X[i], Y: s.High[i]})
		}
		for i := len(s.X) - 1; i >= 0; i-- {
			outline = append(outline, plotter.XY{X: s.X[i], Y: s.Low[i]})
		}
		return s.addPolygon(p, outline)
	case Bars:
		for i := range s.X {
			y, from := s.Y[i], max(0, f.X.Low)
			err := s.addPolygon(p, plotter.XYs{{X: from, Y: y - 0.3}, {X: s.X[i], Y: y - 0.3}, {X: s.X[i], Y: y + 0.3}, {X: from, Y: y + 0.3}})
			if err != nil {
				return err
			}
		}
		return nil
	case Interval:
		for i := range s.X {
			l, err := plotter.NewLine(plotter.XYs{{X: s.Low[i], Y: s.Y[i]}, {X: s.High[i], Y: s.Y[i]}})
			if err != nil {
				return err
			}
			l.LineStyle = draw.LineStyle{Color: s.colour(), Width: vg.Points(2)}
			p.Add(l)
		}
	}
	return s.addDots(p)
}

func (s Series) addLine(p *plot.Plot) error {
	var part plotter.XYs
	flush := func() error {
		if len(part) < 2 {
			part = nil
			return nil
		}
		l, err := plotter.NewLine(part)
		if err != nil {
			return err
		}
		l.LineStyle = s.style()
		if s.Mark == Steps {
			l.StepStyle = plotter.PostStep
		}
		p.Add(l)
		part = nil
		return nil
	}
	for i := range s.X {
		if math.IsNaN(s.Y[i]) {
			if err := flush(); err != nil {
				return err
			}
			continue
		}
		part = append(part, plotter.XY{X: s.X[i], Y: s.Y[i]})
	}
	return flush()
}

func (s Series) addPolygon(p *plot.Plot, outline plotter.XYs) error {
	if len(outline) < 3 {
		return nil
	}
	polygon, err := plotter.NewPolygon(outline)
	if err != nil {
		return err
	}
	fill := s.colour()
	polygon.LineStyle.Width = 0
	if s.Mark == Band {
		fill.A = 45
	}
	polygon.Color = fill
	p.Add(polygon)
	return nil
}

func (s Series) addDots(p *plot.Plot) error {
	var at plotter.XYs
	for i := range s.X {
		if !math.IsNaN(s.X[i]) && !math.IsNaN(s.Y[i]) {
			at = append(at, plotter.XY{X: s.X[i], Y: s.Y[i]})
		}
	}
	if len(at) == 0 {
		return nil
	}
	dots, err := plotter.NewScatter(at)
	if err != nil {
		return err
	}
	dots.GlyphStyle = draw.GlyphStyle{Color: s.colour(), Radius: vg.Points(2.5), Shape: draw.CircleGlyph{}}
	switch {
	case s.Strong:
		dots.Radius = vg.Points(3.5)
	case s.Faint:
		dots.Radius = vg.Points(1.2)
	}
	p.Add(dots)
	return nil
}

func addLabels(p *plot.Plot, all []Label) {
	for _, l := range all {
		labels, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: l.X, Y: l.Y}}, Labels: []string{l.Text}})
		if err != nil {
			continue // one label that cannot be placed spoils no picture
		}
		labels.TextStyle[0].XAlign = text.XCenter
		labels.TextStyle[0].Font.Size, labels.TextStyle[0].Font.Variant = vg.Points(8), "Sans"
		labels.Offset.Y = vg.Points(l.Up / 2)
		p.Add(labels)
	}
}

// thumbnail draws the sample of a legend.
type thumbnail struct{ Series }

// Thumbnail fills the sample's place.
func (t thumbnail) Thumbnail(c *draw.Canvas) {
	if t.Filled() {
		c.FillPolygon(t.colour(), []vg.Point{{X: c.Min.X, Y: c.Min.Y}, {X: c.Min.X, Y: c.Max.Y}, {X: c.Max.X, Y: c.Max.Y}, {X: c.Max.X, Y: c.Min.Y}})
		return
	}
	y := c.Center().Y
	c.StrokeLine2(t.style(), c.Min.X, y, c.Max.X, y)
}
