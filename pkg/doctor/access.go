package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// resource is what an access control list is about, as kafka-acls.sh takes it.
type resource string

const onCluster resource = "--cluster"

func topicNamed(name string) resource { return resource("--topic " + name) }

func groupNamed(name string) resource { return resource("--group " + name) }

// Prefixed lists need Kafka 2.0 (KIP-290).
func groups(prefix string) resource {
	return resource("--group " + prefix + " --resource-pattern-type prefixed")
}

func transactionalIDs(prefix string) resource {
	return resource("--transactional-id " + prefix + " --resource-pattern-type prefixed")
}

// allow is the command with which an administrator of the cluster gives the
// user a right. admin.properties stands for the administrator's own settings,
// where the listener wants any.
func (c *cluster) allow(on resource, operations ...kafka.Operation) string {
	command := "kafka-acls.sh --bootstrap-server " + c.config.Brokers[0]
	if c.config.TLS || c.config.SASL != "" {
		command += " --command-config admin.properties"
	}
	command += fmt.Sprintf(" --add --allow-principal %s", c.principal())
	for _, operation := range operations {
		command += " --operation " + operation.String()
	}
	return command + " " + string(on)
}

// principal is the user as the brokers name it, unless they have rules that
// rename it (ssl.principal.mapping.rules).
func (c *cluster) principal() string {
	switch {
	case c.config.SASL != "":
		return quoted("User:" + c.config.User)
	case c.config.TLSCertFile != "":
		pair, err := tls.LoadX509KeyPair(c.config.TLSCertFile, c.config.TLSKeyFile)
		if err != nil {
			return "User:PRINCIPAL"
		}
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			return "User:PRINCIPAL"
		}
		return quoted("User:" + leaf.Subject.String())
	}
	return "User:ANONYMOUS"
}

// quoted keeps a word one for a shell.
func quoted(word string) string {
	if strings.ContainsAny(word, " \t\"'$\\&;|<>()*?[]#~`!{}=,") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}
