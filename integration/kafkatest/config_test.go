package kafkatest

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	const address = "127.0.0.1:20001"

	t.Run("a setting becomes the variable that the official image reads", func(t *testing.T) {
		t.Parallel()
		for setting, want := range map[string]string{
			"log.dirs":     "KAFKA_LOG_DIRS",
			"my_own.plain": "KAFKA_MY__OWN_PLAIN",
			"listener.name.host.scram-sha-512.sasl.jaas.config": "KAFKA_LISTENER_NAME_HOST_SCRAM___SHA___512_SASL_JAAS_CONFIG",
		} {
			if got := variable(setting); got != want {
				t.Errorf("variable(%q) = %q, want %q", setting, got, want)
			}
		}
	})

	t.Run("the published address is the advertised one", func(t *testing.T) {
		t.Parallel()
		got := Config{}.env(address)["KAFKA_ADVERTISED_LISTENERS"]
		if !strings.HasPrefix(got, "HOST://127.0.0.1:20001,") {
			t.Errorf("advertised listeners are %q", got)
		}
	})

	t.Run("on the network of the machine no port is fixed, and the address is the advertised one", func(t *testing.T) {
		t.Parallel()
		cfg, err := Config{HostNetwork: true}.onHost(address)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range cfg.env(address) {
			for _, fixed := range []string{":19092", ":19093", ":19094"} {
				if strings.Contains(value, fixed) {
					t.Errorf("%s is %q: a second cluster would find %s taken", name, value, fixed)
				}
			}
		}
		if got := cfg.env(address)["KAFKA_ADVERTISED_LISTENERS"]; !strings.HasPrefix(got, "HOST://127.0.0.1:20001,") {
			t.Errorf("advertised listeners are %q", got)
		}
	})

	t.Run("the caller's settings win, a value of several lines fits in one", func(t *testing.T) {
		t.Parallel()
		env := Config{Settings: map[string]string{"node.id": "7", "ssl.keystore.key": "a\nb"}, Heap: "-Xmx1g"}.env(address)
		for variable, want := range map[string]string{
			"KAFKA_NODE_ID": "7", "KAFKA_SSL_KEYSTORE_KEY": `a\nb`, "KAFKA_HEAP_OPTS": "-Xmx1g",
		} {
			if env[variable] != want {
				t.Errorf("%s is %q, want %q", variable, env[variable], want)
			}
		}
	})

	t.Run("a release before 3.0 gets a ZooKeeper's settings, a later one those of KRaft", func(t *testing.T) {
		t.Parallel()
		for version, old := range map[string]bool{"0.10.2.2": true, "2.8.2": true, "3.9.1": false, "4.2.0": false, "": false} {
			env := Config{Version: version}.env(address)
			controller := env["KAFKA_PROCESS_ROLES"] != "" && strings.Contains(env["KAFKA_LISTENERS"], "CONTROLLER:")
			if controller == old || (env["KAFKA_BROKER_ID"] != "") != old || strings.Contains(env["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"], "CONTROLLER") == old {
				t.Errorf("release %q is started with %v", version, env)
			}
		}
	})

	t.Run("each cluster has an id of its own that is no option to a tool", func(t *testing.T) {
		t.Parallel()
		seen := map[string]bool{}
		for range 100 {
			id := Config{}.env(address)["CLUSTER_ID"]
			if seen[id] || len(id) != 22 || id[0] == '-' {
				t.Fatalf("cluster id %q", id)
			}
			seen[id] = true
		}
	})
}

func TestFreePort(t *testing.T) {
	t.Parallel()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	if port < firstPort || port >= 32768 {
		t.Errorf("port %d is among those of outgoing connections", port)
	}
}

func TestTopic(t *testing.T) {
	t.Parallel()

	t.Run("a name is legal and unique, whatever the test is called", func(t *testing.T) {
		t.Parallel()
		for _, test := range []string{"TestÜ/a_b.c/#01", strings.Repeat("long", 100)} {
			one, two := topicFor(test), topicFor(test)
			if one == two {
				t.Errorf("twice the same name %s", one)
			}
			if !regexp.MustCompile(`^[a-zA-Z0-9-]{1,249}$`).MatchString(one) {
				t.Errorf("Kafka takes no topic %q", one)
			}
		}
	})
}

func TestStartLog(t *testing.T) {
	t.Parallel()

	t.Run("the line that says started is found across writes", func(t *testing.T) {
		t.Parallel()
		log := &startLog{}
		if _, err := log.Write([]byte("INFO one\nINFO [KafkaRaftServer nodeId=1] Kafka Ser")); err != nil {
			t.Fatal(err)
		}
		if _, err := log.Write([]byte("ver started (kafka.server.KafkaRaftServer)\n")); !errors.Is(err, errStarted) {
			t.Errorf("error is %v", err)
		}
	})

	t.Run("every release's own words for it are known, and no others taken for them", func(t *testing.T) {
		t.Parallel()
		for line, want := range map[string]error{
			"INFO [Kafka Server 1], started (kafka.server.KafkaServer)\n":                   errStarted,
			"INFO [KafkaServer id=1] started (kafka.server.KafkaServer)\n":                  errStarted,
			"INFO [KafkaRaftServer nodeId=1] Kafka Server started (a.Class)\n":              errStarted,
			"INFO Kafka startTimeMs: 1 (org.apache.kafka.common.utils.AppInfoParser)\n":     nil,
			"INFO [Kafka Server 1], starting (kafka.server.KafkaServer)\n":                  nil,
			"INFO [GroupCoordinator 1]: Startup complete. (kafka.GroupCoordinator)\n":       nil,
			"INFO [ReplicaStateMachine controllerId=1] Started replica state machine (a)\n": nil,
		} {
			if _, err := (&startLog{}).Write([]byte(line)); !errors.Is(err, want) {
				t.Errorf("%q gives %v, want %v", line, err, want)
			}
		}
	})

	t.Run("the last lines are kept for the message", func(t *testing.T) {
		t.Parallel()
		log := &startLog{}
		for range 30 {
			if _, err := log.Write([]byte("early\n")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := log.Write([]byte("late\n")); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(log.String(), "early"); got != 19 || !strings.HasSuffix(log.String(), "late") {
			t.Errorf("%d early lines in %q", got, log.String())
		}
	})
}
