package page

// Bar is what the project wants to reach, and what a run has measured.
type Bar struct {
	Wanted   string `json:"wanted"`
	Measured string `json:"measured"`
	Met      bool   `json:"met"`
}

// Verdict is the bar's last column.
func (b Bar) Verdict() string {
	if b.Met {
		return "met"
	}
	return "NOT MET"
}

// Bars shows bars in lines.
func Bars(bars []Bar) Table {
	lines := Table{{"bar", "measured", ""}}
	for _, b := range bars {
		lines = append(lines, []string{b.Wanted, b.Measured, b.Verdict()})
	}
	return lines
}
