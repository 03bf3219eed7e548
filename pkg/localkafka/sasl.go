package localkafka

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// refuseByName answers a wrong PLAIN password with SASL_AUTHENTICATION_FAILED,
// as Kafka does (KIP-152). kfake only cuts the connection, which a client
// cannot tell from a broker that is down. A wrong SCRAM password still ends in
// a cut: checking its proof would need kfake's side of the exchange.
func refuseByName(fake *kfake.Cluster, users []User) {
	plain := map[string]string{}
	for _, u := range users {
		if u.Mechanism == "PLAIN" {
			plain[u.Name] = u.Password
		}
	}
	if len(plain) == 0 {
		return
	}
	fake.ControlKey(int16(kmsg.SASLAuthenticate), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		req, ok := kreq.(*kmsg.SASLAuthenticateRequest)
		if !ok {
			return nil, nil, false
		}
		// RFC 4616: authorization identity, user, password.
		parts := strings.Split(string(req.SASLAuthBytes), "\x00")
		if len(parts) != 3 {
			return nil, nil, false
		}
		if want, known := plain[parts[1]]; known && want == parts[2] {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		resp.ErrorMessage = kmsg.StringPtr("Authentication failed: Invalid username or password")
		return resp, nil, true
	})
}
