package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"

	"keyturn/bot"
)

// Lost says in plain words what an exchange without an answer means. A write
// whose outcome is unknown becomes KindAmbiguous, everything else
// KindUnreachable, which is safe to repeat.
func Lost(system bot.System, write bool, requestID string, err error) *bot.Failure {
	f := &bot.Failure{Kind: bot.KindUnreachable, System: system, RequestID: requestID, Err: err}
	name := system.Name()
	if write && OutcomeOf(err) != NotSent {
		f.Kind = bot.KindAmbiguous
		f.Says = "The connection to " + name + " was lost before it answered, so this may or may not have taken effect."
		f.Fix = "Keyturn looks what is there before it repeats anything."
		return f
	}
	if errors.Is(err, ErrTooLarge) {
		f.Kind = bot.KindMalformed
		f.Says = name + " answered with more data than Keyturn reads at once."
		f.Fix = "Narrow the question down, or report this to whoever maintains Keyturn."
		return f
	}
	if errors.Is(err, ErrElsewhere) {
		f.Kind = bot.KindForeign // trying again would change nothing
		f.Says = "Nothing was sent to " + name + ": its address is on a host that Keyturn's configuration does not name."
		f.Fix = "An operator can compare the addresses in the configuration; `keyturn request-pack` lists the hosts that it allows."
		return f
	}
	f.Says, f.Fix = unreached(name, err)
	return f
}

func unreached(name string, err error) (says, fix string) {
	var (
		dns     *net.DNSError
		unknown x509.UnknownAuthorityError
		cert    *tls.CertificateVerificationError
		op      *net.OpError
	)
	switch {
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return atTheProxy(name, err)
	case errors.As(err, &unknown):
		return "The certificate that " + name + " showed is not signed by an authority that this server trusts.",
			"If a proxy inspects TLS here, its certificate belongs into the CA bundle of Keyturn's configuration."
	case errors.As(err, &cert):
		return "The certificate that " + name + " showed is not valid for it.",
			"Check the clock of this server and whether a proxy stands in between."
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("The host name %s of %s does not exist.", Plain(dns.Name, 80), name),
			"Check the address in Keyturn's configuration and the DNS of this server."
	case errors.As(err, &dns):
		return "The DNS server did not answer when " + name + " was looked up.", "It is tried again; if it stays, check the DNS of this server."
	case errors.Is(err, ErrTotal), errors.Is(err, context.DeadlineExceeded):
		return name + " did not answer in time.", "It is tried again later."
	case errors.Is(err, context.Canceled):
		return "The call to " + name + " was called off before it was answered.", "It can be tried again."
	}
	return name + " could not be reached.", "It is tried again; if it stays, check the network and firewall of this server."
}

// atTheProxy says what a proxy that stands in the way has said, if anything.
func atTheProxy(name string, err error) (says, fix string) {
	var (
		said proxySaid
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &dns):
		return fmt.Sprintf("The proxy on the way to %s was not found: its host name %s is not known to the DNS of this server.", name, Plain(dns.Name, 80)),
			"Check outside.proxy in Keyturn's configuration (or HTTPS_PROXY), and the DNS of this server."
	case errors.As(err, &cert):
		return "The certificate of the proxy on the way to " + name + " is not one that this server trusts.",
			"Put its authority into the CA bundle of Keyturn's configuration."
	case !errors.As(err, &said):
		return "The proxy on the way to " + name + " could not be reached.",
			"Check outside.proxy in Keyturn's configuration (or HTTPS_PROXY), and whether the proxy runs and lets this server connect."
	case said == http.StatusProxyAuthRequired:
		return "The proxy on the way to " + name + " asks for a name and a password, or knows others than those it was given (HTTP 407).",
			"Put the whole address, http://name:password@host:port, into a file or a credential, and name that as outside.proxy in Keyturn's configuration. It is sent as Basic."
	case said == http.StatusBadGateway, said == http.StatusServiceUnavailable, said == http.StatusGatewayTimeout:
		return fmt.Sprintf("The proxy itself did not reach %s (HTTP %d).", name, int(said)),
			"It is tried again; if it stays, ask whoever runs the proxy: its own DNS or way out may be broken."
	}
	return fmt.Sprintf("The proxy on the way to %s did not let the call through (HTTP %d).", name, int(said)),
		"Have whoever runs the proxy allow CONNECT to that host, port 443; `keyturn request-pack` lists all hosts. If none is meant to be used, check outside.proxy in Keyturn's configuration."
}
