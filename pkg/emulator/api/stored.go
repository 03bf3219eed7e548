package api

import (
	"slices"
)

// stored are settings that the local platform does nothing with: they are
// checked for their shape, kept, and given back. What is nil is not set.
type stored struct {
	PublicNetConfig           *publicNetConfig
	CfsConfig                 *cfsConfig
	InitTimeout               *int
	InstallDependency         *string
	AsyncRunEnable            *string
	TraceEnable               *string
	ProtocolType              *string
	ProtocolParams            *protocolParams
	InstanceConcurrencyConfig *instanceConcurrencyConfig
	DnsCache                  *string
	IntranetConfig            *intranetConfig
	L5Enable                  *string
	AutoDeployClsTopicIndex   *string
	AutoCreateClsTopic        *string
	IgnoreSysLog              *bool
}

type publicNetConfig struct {
	PublicNetStatus string
	EipConfig       *eipConfig
}

// eipConfig has no addresses: the local platform gives none.
type eipConfig struct {
	EipStatus  string
	EipAddress []string
}

type cfsConfig struct{ CfsInsList []cfsInstance }

type cfsInstance struct {
	UserId, UserGroupId, CfsId, MountInsId, LocalMountDir, RemoteMountDir string
	IpAddress, MountVpcId, MountSubnetId                                  *string
}

type protocolParams struct{ WSParams *struct{ IdleTimeOut int } }

type instanceConcurrencyConfig struct {
	DynamicEnabled           string
	MaxConcurrency           int
	InstanceIsolationEnabled *string
	Type                     *string
	MixNodeConfig            []struct {
		NodeSpec *string
		Num      *int
	}
	SessionConfig *struct {
		SessionSource                        *string
		SessionName                          *string
		MaximumConcurrencySessionPerInstance *int
		MaximumTTLInSeconds                  *int
		MaximumIdleTimeInSeconds             *int
		SessionPath                          *string
		IdleTimeoutStrategy                  *string
	}
}

type intranetConfig struct {
	IpFixed   string
	IpAddress []string
}

// merge puts what is set over what was.
func (s stored) merge(over stored) stored {
	put(&s.PublicNetConfig, over.PublicNetConfig)
	put(&s.CfsConfig, over.CfsConfig)
	put(&s.InitTimeout, over.InitTimeout)
	put(&s.InstallDependency, over.InstallDependency)
	put(&s.AsyncRunEnable, over.AsyncRunEnable)
	put(&s.TraceEnable, over.TraceEnable)
	put(&s.ProtocolType, over.ProtocolType)
	put(&s.ProtocolParams, over.ProtocolParams)
	put(&s.InstanceConcurrencyConfig, over.InstanceConcurrencyConfig)
	put(&s.DnsCache, over.DnsCache)
	put(&s.IntranetConfig, over.IntranetConfig)
	put(&s.L5Enable, over.L5Enable)
	put(&s.AutoDeployClsTopicIndex, over.AutoDeployClsTopicIndex)
	put(&s.AutoCreateClsTopic, over.AutoCreateClsTopic)
	put(&s.IgnoreSysLog, over.IgnoreSysLog)
	return s
}

func put[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

// check refuses values that the service does not know.
func (s stored) check() error {
	for _, flag := range []struct {
		name, code string
		value      *string
	}{
		{"InstallDependency", "InvalidParameterValue", s.InstallDependency},
		{"AsyncRunEnable", "InvalidParameterValue.AsyncRunEnable", s.AsyncRunEnable},
		{"TraceEnable", "InvalidParameterValue.TraceEnable", s.TraceEnable},
		{"DnsCache", "InvalidParameterValue.DnsInfo", s.DnsCache},
		{"L5Enable", "InvalidParameterValue.L5Enable", s.L5Enable},
		{"AutoDeployClsTopicIndex", "InvalidParameterValue.Cls", s.AutoDeployClsTopicIndex},
		{"AutoCreateClsTopic", "InvalidParameterValue.Cls", s.AutoCreateClsTopic},
	} {
		if flag.value != nil && !slices.Contains([]string{"TRUE", "FALSE"}, *flag.value) {
			return refuse(flag.code, "%s is %q, want TRUE or FALSE.", flag.name, *flag.value)
		}
	}
	onOff := []string{"ENABLE", "DISABLE"}
	switch p := s.PublicNetConfig; {
	case p == nil:
	case !slices.Contains(onOff, p.PublicNetStatus):
		return refuse("InvalidParameterValue.PublicNetConfig",
			"PublicNetStatus is %q, want ENABLE or DISABLE.", p.PublicNetStatus)
	case p.EipConfig != nil && !slices.Contains(onOff, p.EipConfig.EipStatus):
		return refuse("InvalidParameterValue.EipConfig",
			"EipStatus is %q, want ENABLE or DISABLE.", p.EipConfig.EipStatus)
	}
	if s.ProtocolType != nil && *s.ProtocolType != "" && *s.ProtocolType != "WS" {
		return refuse("InvalidParameterValue.ProtocolType", "ProtocolType is %q, want WS.", *s.ProtocolType)
	}
	return nil
}

// orText is a value that was perhaps not set.
func orText(v *string, otherwise string) string {
	if v == nil {
		return otherwise
	}
	return *v
}
