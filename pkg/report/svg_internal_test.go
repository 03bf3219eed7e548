package report

import "testing"

func TestCleanSVG(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"shapes and text stay", `<svg><g><path d="M0 1L2 3" fill="var(--s1)" stroke="#fff"></path><text x="1" style="font-size:12px;font-family:x">a &lt; b</text></g></svg>`,
			`<g><path d="M0 1L2 3" fill="var(--s1)" stroke="#fff"></path><text x="1" font-size="12">a &lt; b</text></g>`},
		{"other elements go, with what is in them", `<svg><style>a{}</style><script>b()</script><foreignObject><p>c</p></foreignObject><a href="d"><text>e</text></a><rect x="1"></rect></svg>`,
			`<rect x="1"></rect>`},
		{"other attributes go", `<svg onload="a()"><rect onclick="b()" x="1" class="c" id="d" clip-path="url(#e)" style="fill:url(f)"></rect></svg>`, `<rect x="1"></rect>`},
		{"values that fetch something go", `<svg><rect fill="url(http://a)" x="1;2" y="&quot;&gt;"></rect></svg>`, `<rect></rect>`},
		{"names of other spaces go", `<svg xmlns:x="y"><rect x:href="z" x="1"></rect></svg>`, `<rect x="1"></rect>`},
		{"text outside of texts goes", `<svg>a<g>b</g></svg>`, `<g></g>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got, err := cleanSVG(c.in); err != nil || got != c.want {
				t.Errorf("got %q, %v\nwant %q", got, err, c.want)
			}
		})
	}
	for _, broken := range []string{"<svg", "<svg><g></svg>", "<svg a></svg>", "<svg>&nope;</svg>"} {
		t.Run("refused: "+broken, func(t *testing.T) {
			t.Parallel()
			if got, err := cleanSVG(broken); err == nil {
				t.Errorf("got %q", got)
			}
		})
	}
}
