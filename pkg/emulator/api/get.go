package api

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// clockZone is where the service's times are, which say no zone.
func clockZone() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }

// stamp writes a time as the service does.
func stamp(t time.Time) string { return t.In(clockZone()).Format(time.DateTime) }

type getFunctionRequest struct {
	FunctionName string
	Namespace    string
	Qualifier    string
	ShowCode     *string
	ShowTriggers *string
}

type functionDetail struct {
	FunctionName, FunctionId, Namespace, Description string
	Handler, Runtime, Type, Role                     string
	FunctionVersion, Qualifier                       string
	MemorySize, Timeout, InitTimeout                 int
	CodeSize                                         int64
	CodeInfo, CodeResult, CodeError                  string
	ErrNo                                            int
	Environment                                      environment
	VpcConfig                                        vpcConfig
	ClsLogsetId, ClsTopicId                          string
	Status, StatusDesc, AvailableStatus              string
	StatusReasons                                    []StatusReason
	Layers                                           []layerDetail
	DeadLetterConfig                                 deadLetterConfig
	Tags                                             []Tag
	Triggers                                         []triggerDetail
	AddTime, ModTime                                 string
	InstallDependency, UseGpu, L5Enable, OnsEnable   string
	AsyncRunEnable, TraceEnable, DnsCache            string
	ProtocolType                                     string
	ProtocolParams                                   *protocolParams
	InstanceConcurrencyConfig                        *instanceConcurrencyConfig
	PublicNetConfig                                  publicNetConfig
	CfsConfig                                        cfsConfig
	IntranetConfig                                   intranetConfig
	EipConfig                                        struct {
		EipFixed string
		Eips     []string
	}
	AccessInfo struct{ Host, Vip string }
}

type layerDetail struct {
	LayerName          string
	LayerVersion       int
	CompatibleRuntimes []string
	Status             string
}

// getFunction tells all of a version.
func (s *Server) getFunction(_ context.Context, r getFunctionRequest) (any, error) {
	st, err := s.read(r.Namespace, r.FunctionName)
	if err != nil {
		return nil, err
	}
	v, err := st.qualified(r.Qualifier)
	if err != nil {
		return nil, err
	}
	d := detail(st, v)
	d.Qualifier = cmp.Or(r.Qualifier, latest)
	if orText(r.ShowTriggers, "TRUE") == "TRUE" {
		d.Triggers = s.triggerDetails(st)
	}
	return d, nil
}

// qualified finds the version of a qualifier: of an alias its own.
func (s *state) qualified(qualifier string) (*version, error) {
	number := cmp.Or(qualifier, latest)
	if a := s.alias(qualifier); a != nil {
		number = a.Version
	}
	if v := s.version(number); v != nil {
		return v, nil
	}
	return nil, refuse("ResourceNotFound.Qualifier", "The function %s has no version or alias %q.", s.name(), qualifier)
}

func detail(st *state, v *version) functionDetail {
	f, more := v.Settings, v.Stored
	d := functionDetail{
		FunctionName: f.Name, FunctionId: st.ID, Namespace: orDefault(f.Namespace), Description: f.Description,
		Handler: f.Handler, Runtime: cmp.Or(f.Runtime, scf.DefaultRuntime), Type: "Event", Role: f.Role,
		FunctionVersion: v.Number, MemorySize: f.MemorySize, Timeout: f.Timeout, InitTimeout: defaultInitTimeout,
		CodeSize: v.Code.Size, CodeResult: "success",
		Environment: environment{Variables: []variable{}},
		Status:      string(v.Status), AvailableStatus: "Available",
		StatusReasons: append([]StatusReason{}, v.Reasons...),
		Layers:        []layerDetail{}, Tags: append([]Tag{}, st.Tags...), Triggers: []triggerDetail{},
		AddTime: stamp(st.AddTime), ModTime: stamp(v.ModTime),
		InstallDependency: orText(more.InstallDependency, "FALSE"), UseGpu: "FALSE",
		L5Enable: orText(more.L5Enable, "FALSE"), OnsEnable: "FALSE",
		AsyncRunEnable: orText(more.AsyncRunEnable, "FALSE"), TraceEnable: orText(more.TraceEnable, "FALSE"),
		DnsCache:     orText(more.DnsCache, "FALSE"),
		ProtocolType: orText(more.ProtocolType, ""), ProtocolParams: more.ProtocolParams,
		InstanceConcurrencyConfig: more.InstanceConcurrencyConfig,
		PublicNetConfig: publicNetConfig{PublicNetStatus: "ENABLE",
			EipConfig: &eipConfig{EipStatus: "DISABLE", EipAddress: []string{}}},
		CfsConfig:      cfsConfig{CfsInsList: []cfsInstance{}},
		IntranetConfig: intranetConfig{IpFixed: "DISABLE", IpAddress: []string{}},
	}
	d.EipConfig.EipFixed, d.EipConfig.Eips = "FALSE", []string{}
	for _, key := range slices.Sorted(maps.Keys(f.Environment)) {
		d.Environment.Variables = append(d.Environment.Variables, variable{key, f.Environment[key]})
	}
	if f.VPC != nil {
		d.VpcConfig = vpcConfig{f.VPC.VPCID, f.VPC.SubnetID}
	}
	if f.CLS != nil {
		d.ClsLogsetId, d.ClsTopicId = f.CLS.LogsetID, f.CLS.TopicID
	}
	if f.DeadLetter != nil {
		d.DeadLetterConfig = deadLetterConfig{Type: f.DeadLetter.Type, Name: f.DeadLetter.Name}
	}
	for _, l := range f.Layers {
		d.Layers = append(d.Layers, layerDetail{l.Name, l.Version, []string{scf.DefaultRuntime}, "Active"})
	}
	if more.PublicNetConfig != nil {
		d.PublicNetConfig.PublicNetStatus = more.PublicNetConfig.PublicNetStatus
		if eip := more.PublicNetConfig.EipConfig; eip != nil {
			d.PublicNetConfig.EipConfig.EipStatus = eip.EipStatus
		}
	}
	if more.CfsConfig != nil && more.CfsConfig.CfsInsList != nil {
		d.CfsConfig = *more.CfsConfig
	}
	if more.IntranetConfig != nil {
		d.IntranetConfig.IpFixed = more.IntranetConfig.IpFixed
	}
	if more.InitTimeout != nil {
		d.InitTimeout = *more.InitTimeout
	}
	for _, reason := range v.Reasons {
		d.StatusDesc = reason.ErrorMessage
		d.CodeResult, d.CodeError = "failed", reason.ErrorMessage
	}
	return d
}

// defaultInitTimeout is the service's, in seconds (583/18586).
const defaultInitTimeout = 65

type listFunctionsRequest struct {
	Namespace   string
	SearchKey   string
	Description string
	Order       string
	Orderby     string
	Offset      int
	Limit       *int
	Filters     []filter
}

type filter struct {
	Name   string
	Values []string
}

type functionSummary struct {
	FunctionName, FunctionId, Namespace, Description string
	Runtime, Type, Status, StatusDesc                string
	StatusReasons                                    []StatusReason
	Tags                                             []Tag
	AddTime, ModTime                                 string
	TotalProvisionedConcurrencyMem                   int
	ReservedConcurrencyMem                           int
	AsyncRunEnable, TraceEnable                      string
}

// listFunctions lists those of a namespace.
func (s *Server) listFunctions(_ context.Context, r listFunctionsRequest) (any, error) {
	var found []*state
	for _, e := range s.all() {
		st := e.state.Load()
		match, err := matches(st, r)
		if err != nil {
			return nil, err
		}
		if match {
			found = append(found, st)
		}
	}
	less, err := functionOrder(r.Orderby)
	if err != nil {
		return nil, err
	}
	page, err := pageOf(found, less, cmp.Or(r.Order, "DESC"), r.Offset, r.Limit)
	if err != nil {
		return nil, err
	}
	list := []functionSummary{}
	for _, st := range page {
		d := detail(st, &st.Latest)
		list = append(list, functionSummary{
			FunctionName: d.FunctionName, FunctionId: d.FunctionId, Namespace: d.Namespace, Description: d.Description,
			Runtime: d.Runtime, Type: d.Type, Status: d.Status, StatusDesc: d.StatusDesc,
			StatusReasons: d.StatusReasons,
			Tags:          d.Tags, AddTime: d.AddTime, ModTime: d.ModTime, AsyncRunEnable: d.AsyncRunEnable,
			TraceEnable: d.TraceEnable,
		})
	}
	return struct {
		Functions  []functionSummary
		TotalCount int
	}{list, len(found)}, nil
}

func functionOrder(by string) (func(a, b *state) int, error) {
	byName := func(a, b *state) int { return cmp.Compare(a.name(), b.name()) }
	switch by {
	case "FunctionName":
		return byName, nil
	case "AddTime":
		return func(a, b *state) int { return cmp.Or(a.AddTime.Compare(b.AddTime), byName(a, b)) }, nil
	case "ModTime", "":
		return func(a, b *state) int { return cmp.Or(a.Latest.ModTime.Compare(b.Latest.ModTime), byName(a, b)) }, nil
	}
	return nil, refuse("InvalidParameterValue.OrderBy", "Orderby is %q, want AddTime, ModTime or FunctionName.", by)
}

// matches reports whether a function is asked for.
func matches(st *state, r listFunctionsRequest) (bool, error) {
	d := detail(st, &st.Latest)
	ok := d.Namespace == orDefault(r.Namespace) &&
		strings.Contains(d.FunctionName, r.SearchKey) && strings.Contains(d.Description, r.Description)
	for _, f := range r.Filters {
		var is []string
		switch tag, isTag := strings.CutPrefix(f.Name, "tag-"); {
		case isTag:
			for _, t := range st.Tags {
				if t.Key == tag {
					is = append(is, t.Value)
				}
			}
		default:
			value, known := map[string]string{
				"VpcId": d.VpcConfig.VpcId, "SubnetId": d.VpcConfig.SubnetId, "ClsTopicId": d.ClsTopicId,
				"ClsLogsetId": d.ClsLogsetId,
				"Role":        d.Role, "Status": d.Status, "Runtime": d.Runtime, "Type": d.Type,
				"PublicNetStatus": d.PublicNetConfig.PublicNetStatus, "AsyncRunEnable": d.AsyncRunEnable,
				"TraceEnable": d.TraceEnable,
			}[f.Name]
			if !known {
				return false, refuse("InvalidParameterValue.Filters", "The filter %q is not known.", f.Name)
			}
			is = []string{value}
		}
		ok = ok && slices.ContainsFunc(is, func(v string) bool { return slices.Contains(f.Values, v) })
	}
	return ok, nil
}
