package kafkatest

import (
	"fmt"
	"maps"
	"net/netip"
	"strconv"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
)

// dataFolder is where a broker of this package keeps its records.
const dataFolder = "/var/lib/kafka/data"

// reach makes the broker answer at address: by a published port, or because
// it is on the network of this machine.
func (cfg Config) reach(address netip.AddrPort) testcontainers.CustomizeRequestOption {
	return func(request *testcontainers.GenericContainerRequest) error {
		if cfg.HostNetwork {
			request.HostConfigModifier = func(host *container.HostConfig) {
				host.NetworkMode = network.NetworkHost
				host.Tmpfs = map[string]string{dataFolder: "uid=1000,gid=1000"} // appuser of the image
			}
			return nil
		}
		request.ExposedPorts = []string{publishedPort}
		request.HostConfigModifier = func(host *container.HostConfig) { publish(host, address) }
		return nil
	}
}

// publish binds the published listener to address. The port is fixed, because
// a broker has to know the address it advertises before it starts.
func publish(host *container.HostConfig, address netip.AddrPort) {
	host.PortBindings = network.PortMap{network.MustParsePort(publishedPort): []network.PortBinding{{
		HostIP:   address.Addr(),
		HostPort: strconv.Itoa(int(address.Port())),
	}}}
}

// onHost gives every listener a port of its own: on the network of the machine
// the broker shares them with everybody.
func (cfg Config) onHost(address string) (Config, error) {
	inside, err := freePort()
	if err != nil {
		return cfg, err
	}
	controller, err := freePort()
	if err != nil {
		return cfg, err
	}
	settings := map[string]string{
		"listeners": fmt.Sprintf("HOST://%s,INSIDE://localhost:%d,CONTROLLER://localhost:%d",
			address, inside, controller),
		"advertised.listeners":     fmt.Sprintf("HOST://%s,INSIDE://localhost:%d", address, inside),
		"controller.quorum.voters": fmt.Sprintf("1@localhost:%d", controller),
	}
	maps.Copy(settings, cfg.Settings)
	cfg.Settings = settings
	return cfg, nil
}
