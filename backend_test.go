package rsie

import "testing"

func TestInfoIs(t *testing.T) {
	native := Info{Name: "native", Variant: "avx2"}
	second := Info{Name: "cuda:1"}
	for _, c := range []struct {
		info Info
		name string
		want bool
	}{
		{native, "native", true}, {native, "native-avx2", true}, {native, "native-avx512", false},
		{native, "gonum", false}, {native, "", false},
		{second, "cuda", true}, {second, "cuda:1", true}, {second, "cuda:0", false}, {second, "cuda:1-", false},
		{Info{Name: "gonum"}, "gonum", true}, {Info{Name: "gonum"}, "gonum-", false},
	} {
		if got := c.info.Is(c.name); got != c.want {
			t.Errorf("%s %s is %q: %v", c.info.Name, c.info.Variant, c.name, got)
		}
	}
}
