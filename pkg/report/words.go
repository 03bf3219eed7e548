package report

// Language is that of a page's own words; what comes from the file and from data stays as it is.
type Language string

// The languages.
const (
	English Language = "en"
	Chinese Language = "zh-CN"
)

// words are what a page says by itself.
type words struct {
	Made, Period, Before, NoData, NoValue, Numbers, Others, Unchanged, NothingBefore string
	Up, Down, Most, Page, Empty                                                      string
	Points                                                                           string // between shares
	More                                                                             string // with how many
	Kinds                                                                            map[string]string
}

func (l Language) words() words {
	if l == Chinese {
		return words{
			Made: "生成于", Period: "时段", Before: "上一时段", NoData: "此时段没有数据", NoValue: "无", Numbers: "数据表",
			Others: "其他", Unchanged: "持平", NothingBefore: "上一时段无数据", Up: "上升", Down: "下降", Most: "最大", Page: "查看报表",
			Empty: "（空）", Points: "个百分点", More: "另有 %d 行",
			Kinds: map[string]string{line: "折线图", bar: "柱状图", stacked: "堆叠柱状图", pie: "饼图", donut: "环形图"},
		}
	}
	return words{
		Made: "Made", Period: "Period", Before: "Before", NoData: "No data in this period", NoValue: "none",
		Numbers: "The numbers", Others: "Others", Unchanged: "unchanged", NothingBefore: "nothing before", Up: "up",
		Down: "down", Most: "most", Page: "The page", Empty: "(empty)", Points: "points", More: "and %d more rows",
		Kinds: map[string]string{
			line: "Line chart", bar: "Bar chart", stacked: "Stacked bar chart", pie: "Pie chart", donut: "Donut chart",
		},
	}
}
