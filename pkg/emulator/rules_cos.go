package emulator

const cosPage = "583/9707"

func cosRules() []Rule {
	return []Rule{
		{ID: "cos-settings", Text: "A trigger on a bucket names its domain and an event, ObjectCreated or ObjectRemove, all or one of them", Source: cosPage},
		{ID: "cos-overlap", Text: "A trigger that would get the events of another one of the bucket is refused, whatever their functions", Source: cosPage},
		{ID: "cos-event", Text: "An object gives one asynchronous event, with one record", Source: cosPage},
		{ID: "cos-filter", Text: "Only objects of the bucket whose keys begin with the prefix and end with the suffix give an event, and only what the trigger names", Source: cosPage},
		{ID: "cos-closed", Text: "A closed trigger sends nothing; opened again it does not make up for the time before", Source: unconfirmed},
		{ID: "cos-immutable", Text: "Of a trigger on a bucket only enable changes: another event, prefix or suffix is refused", Source: updatePage},
		{ID: "cos-delete", Text: "A deleted trigger sends nothing more, and what it has sent goes on", Source: unconfirmed},
		{ID: "cos-again", Text: "An event whose function fails is sent again, twice", Source: timerPage},
	}
}
