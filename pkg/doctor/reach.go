package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// contact is one address of a cluster, and how it went.
type contact struct {
	address  string
	listener kafka.Listener
	client   *kafka.Client // nil where it cannot be used
	found    Finding
}

// reach tries every bootstrap broker by itself, and keeps the first client.
func (c *cluster) reach(ctx context.Context) bool {
	contacts := c.tryAll(ctx, c.config.Brokers)
	for _, t := range contacts {
		c.Findings = append(c.Findings, t.found)
		if t.client != nil && c.client == nil {
			c.client = t.client
		} else if t.client != nil {
			t.client.Close()
		}
	}
	c.checkCertificates(contacts)
	return c.client != nil
}

// parallelContacts bounds how many brokers are tried at a time.
const parallelContacts = 16

func (c *cluster) tryAll(ctx context.Context, addresses []string) []contact {
	contacts := make([]contact, len(addresses))
	var tries errgroup.Group
	tries.SetLimit(parallelContacts)
	for i, address := range addresses {
		tries.Go(func() error {
			contacts[i] = c.try(ctx, strings.TrimSpace(address))
			return nil
		})
	}
	_ = tries.Wait() // an error is in its contact
	return contacts
}

// try asks one address what it speaks, and then logs in.
func (c *cluster) try(ctx context.Context, address string) contact {
	t := contact{address: address}
	s := Section{}
	listener, err := kafka.Inspect(ctx, c.config, address)
	t.listener = listener
	check := "broker " + address
	switch {
	case err != nil:
		s.fail(check, c.fixUnreachable(err, address), "%s", plain(err))
	case !listener.Broker:
		s.fail(check, "name the port of a broker in "+c.key("BROKERS"), "a controller answers there, and controllers take no clients")
	default:
		if fault, fix := c.mismatch(listener); fault != "" {
			s.fail(check, fix, "%s", fault)
			break
		}
		one := c.config
		one.Brokers = []string{address}
		if t.client, err = kafka.Open(ctx, one); err != nil {
			t.client = nil
			s.fail(check, c.fixLogin(err), "%s", plain(err))
			break
		}
		s.ok(check, "answers in %s%s", span(listener.Latency), c.how(listener))
	}
	t.found = s.Findings[0]
	return t
}

// how says with what protection an address is spoken to.
func (c *cluster) how(l kafka.Listener) string {
	words := ""
	if l.TLS {
		words += ", TLS"
	}
	if l.Login {
		words += fmt.Sprintf(", %s as %s", strings.ToUpper(c.config.SASL), c.config.User)
	}
	return words
}

// mismatch compares what an address speaks with the settings.
func (c *cluster) mismatch(l kafka.Listener) (fault, fix string) {
	switch {
	case l.TLS && !c.config.TLS:
		return "the port speaks TLS, and the settings say plain text",
			fmt.Sprintf("set %s=true, and %s where your own authority has signed the certificate", c.key("TLS"), c.key("TLS_CA_FILE"))
	case !l.TLS && c.config.TLS:
		return "the port speaks plain text, and the settings say TLS", fmt.Sprintf("set %s=false, or name the TLS port", c.key("TLS"))
	case l.Certificate != nil && l.Certificate.Fault != nil:
		return c.certificateFault(l.Certificate)
	case l.Login && c.config.SASL == "":
		return "the listener wants a login: it offers " + list(l.Mechanisms),
			fmt.Sprintf("set %s to one of them, %s and %s", c.key("SASL"), c.key("SASL_USER"), c.key("SASL_PASSWORD"))
	case !l.Login && c.config.SASL != "":
		return "the listener takes everybody without a login, and the settings say " + c.config.SASL,
			fmt.Sprintf("unset %s, %s and %s, or name the port of the SASL listener", c.key("SASL"), c.key("SASL_USER"), c.key("SASL_PASSWORD"))
	case l.Login && len(l.Mechanisms) > 0 && !slices.Contains(l.Mechanisms, strings.ToUpper(c.config.SASL)):
		return fmt.Sprintf("the listener does not offer %s, but %s", c.config.SASL, list(l.Mechanisms)), "set " + c.key("SASL") + " to one of them"
	}
	return "", ""
}

func (c *cluster) certificateFault(cert *kafka.Certificate) (fault, fix string) {
	now := c.doctor.Now()
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	switch {
	case now.After(cert.NotAfter):
		return fmt.Sprintf("the broker's certificate ended on %s", cert.NotAfter.UTC().Format("2006-01-02 15:04 MST")),
			"renew the broker's certificate; if that date is to come, set this machine's clock"
	case now.Before(cert.NotBefore):
		return fmt.Sprintf("the broker's certificate begins on %s only", cert.NotBefore.UTC().Format("2006-01-02 15:04 MST")),
			"set this machine's clock; if it is right, the certificate is for later"
	case errors.As(cert.Fault, &name):
		return "the broker's certificate is for another name: for " + list(cert.Names),
			fmt.Sprintf("connect by one of these names in %s, or set %s to one", c.key("BROKERS"), c.key("TLS_SERVER_NAME"))
	case errors.As(cert.Fault, &unknown):
		return "the broker's certificate is signed by an authority that is not trusted here: " + cert.Issuer,
			fmt.Sprintf("set %s to a file with that authority's certificate (PEM)", c.key("TLS_CA_FILE"))
	}
	return "the broker's certificate is not accepted: " + cert.Fault.Error(), "renew it"
}

// checkCertificates says how long they are good for still.
func (c *cluster) checkCertificates(contacts []contact) {
	var first *kafka.Certificate
	for _, t := range contacts {
		cert := t.listener.Certificate
		if t.client != nil && cert != nil && (first == nil || cert.NotAfter.Before(first.NotAfter)) {
			first = cert
		}
	}
	if first == nil {
		return
	}
	left := first.NotAfter.Sub(c.doctor.Now())
	found := fmt.Sprintf("good for %s, until %s", span(left), first.NotAfter.UTC().Format("2006-01-02 15:04 MST"))
	if left < certificateSoon {
		c.warn("certificate", "renew the broker's certificate before", "%s: then nothing can connect", found)
		return
	}
	c.ok("certificate", "%s", found)
}

func (c *cluster) fixUnreachable(err error, address string) string {
	var dns *net.DNSError
	var network net.Error
	switch {
	case errors.As(err, &dns):
		return fmt.Sprintf("correct the name in %s, or make it known here (DNS, /etc/hosts)", c.key("BROKERS"))
	case errors.Is(err, syscall.ECONNREFUSED):
		fix := fmt.Sprintf("start the broker, or correct the port in %s", c.key("BROKERS"))
		if c.doctor.Environ[c.key("BROKERS")] == "" {
			fix += "; etl up --embedded needs none, it starts both clusters itself"
		}
		return fix
	case errors.As(err, &network) && network.Timeout():
		return fmt.Sprintf("see whether a firewall, security group or VPN is between here and %s, and whether %s is right", address, c.key("BROKERS"))
	}
	return fmt.Sprintf("see that %s names the port of a Kafka broker", c.key("BROKERS"))
}

func (c *cluster) fixLogin(err error) string {
	if errors.Is(err, kafka.ErrAuthentication) {
		if c.config.SASL == "" {
			return fmt.Sprintf("give the certificate that the broker asks for: %s and %s", c.key("TLS_CERT_FILE"), c.key("TLS_KEY_FILE"))
		}
		return fmt.Sprintf("correct %s and %s, and see that %s is the mechanism that the user was made for", c.key("SASL_USER"), c.key("SASL_PASSWORD"), c.key("SASL"))
	}
	return "look into the broker's log: it has taken the connection and not answered"
}

// plain takes off what the line says already.
func plain(err error) string {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "nobody listens there: connection refused"
	}
	text := err.Error()
	for _, prefix := range []string{"inspect ", "connect to "} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			_, text, _ = strings.Cut(rest, ": ")
		}
	}
	return text
}

// checkAdvertised tries the addresses that the brokers tell clients to use:
// who cannot reach those cannot read or write, whatever the bootstrap says.
func (c *cluster) checkAdvertised(ctx context.Context) {
	var addresses []string
	ids := map[string]int32{}
	for _, b := range c.state.Brokers {
		ids[b.Address] = b.ID
		if !slices.Contains(c.config.Brokers, b.Address) {
			addresses = append(addresses, b.Address)
		}
	}
	bad := 0
	for _, t := range c.tryAll(ctx, addresses) {
		if t.client != nil {
			t.client.Close()
			continue
		}
		bad++
		c.fail(fmt.Sprintf("advertised %s", t.address), c.fixAdvertised(t, ids[t.address]),
			"broker %d tells clients to connect there, and from here that does not work: %s", ids[t.address], t.found.Found)
	}
	if bad == 0 && len(addresses) > 0 {
		c.ok("advertised brokers", "can be reached: %s", list(addresses))
	}
}

func (c *cluster) fixAdvertised(t contact, id int32) string {
	host, _, _ := net.SplitHostPort(t.address)
	if t.found.Fix != "" && t.listener.Broker {
		return t.found.Fix // it is reached, and then something else is wrong
	}
	fix := fmt.Sprintf("set advertised.listeners of broker %d to an address that is right from here, and restart it", id)
	if ip := net.ParseIP(host); ip == nil && host != "localhost" {
		fix += fmt.Sprintf("; or make %s known here (DNS, /etc/hosts)", host)
	}
	return fix + "; a function in the cloud needs it reachable from its VPC"
}
