package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The drawing's size in units; a page scales it. The style sheet gives texts the size that is
// readable at the width that a drawing has on a desk and on a telephone, where they are larger;
// margins leave room for the larger.
const (
	drawWidth  = 420
	smallWidth = 340
	wideWidth  = 900
	drawHeight = 250
	marginTop  = 12
	marginLow  = 44
	marginEnd  = 14
	textWidth  = 7.6 // of a letter
)

// drawing places values of a figure on its area.
type drawing struct {
	Figure
	b                          *strings.Builder
	left, right, top, bottom   float64
	width, height              float64
	xLow, xScale, yLow, yScale float64
}

// SVG returns the figure as an svg element for a page: classes alone give colours, so that a
// style sheet makes it light or dark, and a strict content-security policy allows it.
func (f Figure) SVG() template.HTML {
	f.fit()
	d := newDrawing(f)
	fmt.Fprintf(d.b, `<svg class="%s" viewBox="0 0 %s %s" role="img" aria-labelledby="%s-t %s-d">`,
		f.sizeClass(), num(d.width), num(d.height), f.ID, f.ID)
	fmt.Fprintf(d.b, `<title id="%s-t">%s</title><desc id="%s-d">%s</desc>`,
		f.ID, html.EscapeString(f.Title), f.ID, html.EscapeString(f.Says))
	d.axes()
	for _, s := range f.Series {
		if s.Mark == Band {
			d.series(s)
		}
	}
	for _, s := range f.Series {
		if s.Mark != Band {
			d.series(s)
		}
	}
	for _, l := range f.Labels {
		class := "label"
		if l.Strong {
			class = "label strong"
		}
		d.text(d.x(l.X), d.y(l.Y)-l.Up, l.Anchor, class, l.Text)
	}
	d.b.WriteString("</svg>")
	return template.HTML(d.b.String()) // every text went through html.EscapeString
}

// sizeClass tells a style sheet how wide the drawing is.
func (f Figure) sizeClass() string {
	switch {
	case f.Wide:
		return "figure broad"
	case f.Small:
		return "figure small"
	}
	return "figure"
}

func newDrawing(f Figure) *drawing {
	d := &drawing{Figure: f, b: &strings.Builder{}, width: drawWidth, height: drawHeight}
	switch {
	case f.Wide:
		d.width = wideWidth
	case f.Small:
		d.width = smallWidth
	}
	if f.Tall > 0 {
		d.height = float64(f.Tall)
	}
	d.left, d.right, d.top, d.bottom = 14, d.width-marginEnd, marginTop, d.height-marginLow
	if f.X.Title == "" && !f.X.Vertical {
		d.bottom += 16
	}
	if !f.Y.Hidden || f.Y.Ticks != nil {
		longest := 0
		for _, t := range f.Y.ticks(5) {
			longest = max(longest, len([]rune(t.Text)))
		}
		d.left = 12 + textWidth*float64(longest)
	}
	if f.Y.Title != "" {
		d.top += 14
	}
	low, high := f.X.place(f.X.Low), f.X.place(f.X.Up)
	d.xLow, d.xScale = low, (d.right-d.left)/(high-low)
	low, high = f.Y.place(f.Y.Low), f.Y.place(f.Y.Up)
	d.yLow, d.yScale = low, (d.bottom-d.top)/(high-low)
	return d
}

// place is the value as the axis measures it.
func (a Axis) place(v float64) float64 {
	if a.Log {
		return math.Log10(max(v, 1e-300))
	}
	return v
}

func (d *drawing) x(v float64) float64 { return d.left + (d.X.place(v)-d.xLow)*d.xScale }
func (d *drawing) y(v float64) float64 { return d.bottom - (d.Y.place(v)-d.yLow)*d.yScale }

// num formats a coordinate with a tenth of a unit.
func num(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

func (d *drawing) text(x, y float64, anchor, class, text string) {
	fmt.Fprintf(d.b, `<text x="%s" y="%s" text-anchor="%s" class="%s">%s</text>`,
		num(x), num(y), anchor, class, html.EscapeString(text))
}

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(d.b, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, num(x1), num(y1), num(x2), num(y2))
}

func (d *drawing) axes() {
	d.b.WriteString(`<g aria-hidden="true">`)
	if d.Y.Title != "" {
		d.text(2, 13, "start", "axis", d.Y.Title)
	}
	for _, t := range d.Y.ticks(5) {
		y := d.y(t.At)
		if !d.Y.Hidden {
			d.line("grid", d.left, y, d.right, y)
		}
		if t.Text != "" && (!d.Y.Hidden || d.Y.Ticks != nil) {
			d.text(d.left-6, y+4, "end", "tick", t.Text)
		}
	}
	ticks := d.X.ticks(min(6, max(2, int((d.right-d.left)/55))))
	for k, t := range ticks {
		x := d.x(t.At)
		if d.X.Vertical {
			d.line("pole", x, d.y(1), x, d.y(0))
		} else if !d.X.Hidden {
			d.line("grid", x, d.bottom, x, d.bottom+4)
		}
		anchor := "middle"
		if half := textWidth / 2 * float64(len([]rune(t.Text))); x+half > d.width && !d.X.Vertical {
			anchor, x = "end", d.width-1
		}
		y := d.bottom + 17
		if d.X.Vertical && k%2 == 1 {
			y += 15 // long names stand on two lines in turn
		}
		d.text(x, y, anchor, "tick", t.Text)
	}
	if !d.X.Hidden && !d.X.Vertical {
		d.line("base", d.left, d.bottom, d.right, d.bottom)
	}
	if d.X.Title != "" {
		d.text((d.left+d.right)/2, d.height-8, "middle", "axis", d.X.Title)
	}
	d.b.WriteString(`</g>`)
}

// class returns the class attribute of a series.
func (s Series) class() string {
	names := []string{map[Mark]string{Line: "line", Steps: "line", Band: "band", Dots: "dot",
		Bars: "bar", Interval: "dot", Area: "area"}[s.Mark]}
	if s.Shade > 0 {
		names = append(names, fmt.Sprintf("s%d", s.Shade))
	} else {
		names = append(names, fmt.Sprintf("c%d", s.Colour%8))
	}
	if s.Strong {
		names = append(names, "thick")
	}
	if s.Faint {
		names = append(names, "faint")
	}
	return strings.Join(names, " ")
}

func (d *drawing) series(s Series) {
	switch s.Mark {
	case Line, Steps:
		fmt.Fprintf(d.b, `<path class="%s" d="%s">`, s.class(), d.path(s))
		d.title(s.Name)
		d.b.WriteString("</path>")
	case Band, Area:
		fmt.Fprintf(d.b, `<path class="%s" d="%s">`, s.class(), d.area(s))
		d.title(s.Name)
		d.b.WriteString("</path>")
	default:
		fmt.Fprintf(d.b, `<g class="%s">`, s.class())
		for i := range s.X {
			if !math.IsNaN(s.X[i]) && !math.IsNaN(s.Y[i]) {
				d.mark(s, i)
			}
		}
		d.b.WriteString("</g>")
	}
}

func (d *drawing) title(text string) {
	if text != "" {
		fmt.Fprintf(d.b, "<title>%s</title>", html.EscapeString(text))
	}
}

// mark draws one dot, bar or interval.
func (d *drawing) mark(s Series, i int) {
	x, y := d.x(s.X[i]), d.y(s.Y[i])
	text := s.Name
	if s.Texts != nil {
		text = s.Texts[i]
	}
	switch s.Mark {
	case Bars:
		from := d.x(max(0, d.X.Low))
		fmt.Fprintf(d.b, `<rect x="%s" y="%s" width="%s" height="12">`, num(min(from, x)), num(y-6), num(math.Abs(x-from)))
		d.title(text)
		d.b.WriteString("</rect>")
		return
	case Interval:
		d.line("range", d.x(s.Low[i]), y, d.x(s.High[i]), y)
	}
	radius := "3"
	if s.Strong {
		radius = "5"
	}
	if s.Faint {
		radius = "2"
	}
	fmt.Fprintf(d.b, `<circle cx="%s" cy="%s" r="%s">`, num(x), num(y), radius)
	d.title(text)
	d.b.WriteString("</circle>")
}

// path returns the commands of a line, which begins anew after a NaN.
func (d *drawing) path(s Series) string {
	var b strings.Builder
	pen, last := "M", 0.0
	for i := range s.X {
		if math.IsNaN(s.Y[i]) {
			pen = "M"
			continue
		}
		x, y := d.x(s.X[i]), d.y(s.Y[i])
		if s.Mark == Steps && pen == "L" {
			fmt.Fprintf(&b, "L%s %s", num(x), num(last))
		}
		fmt.Fprintf(&b, "%s%s %s", pen, num(x), num(y))
		pen, last = "L", y
	}
	return b.String()
}

// area returns the commands of a band.
func (d *drawing) area(s Series) string {
	var b strings.Builder
	pen := "M"
	for i := range s.X {
		fmt.Fprintf(&b, "%s%s %s", pen, num(d.x(s.X[i])), num(d.y(s.High[i])))
		pen = "L"
	}
	for i := len(s.X) - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "L%s %s", num(d.x(s.X[i])), num(d.y(s.Low[i])))
	}
	return b.String() + "Z"
}

// Legend returns the names of the figure's series, each once, the strong ones first.
func (f Figure) Legend() []Series {
	var strong, rest []Series
	seen := map[string]bool{}
	for _, s := range f.Series {
		if s.Name == "" || seen[s.Name] || s.Mark == Band {
			continue
		}
		seen[s.Name] = true
		if s.Strong {
			strong = append(strong, s)
		} else {
			rest = append(rest, s)
		}
	}
	slices.SortStableFunc(rest, func(a, b Series) int { return a.Colour - b.Colour })
	return append(strong, rest...)
}

// Filled reports whether the sample of a legend is a box; else it is a line.
func (s Series) Filled() bool { return s.Mark == Area || s.Mark == Bars }

// Round reports whether it is a dot.
func (s Series) Round() bool { return s.Mark == Dots }

// Swatch returns the class of a legend's sample.
func (s Series) Swatch() string {
	if s.Mark == Dots {
		return fmt.Sprintf("c%d", s.Colour%8)
	}
	return s.class()
}
