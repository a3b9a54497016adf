/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls_error.h"

#include <openssl/err.h>
#include <openssl/x509.h>

/* What OpenSSL's words mean to someone who set up the two sides. */
static const char *explain(int reason)
{
	switch (reason) {
	case SSL_R_WRONG_VERSION_NUMBER:
		return "it does not speak TLS";
	case SSL_R_HTTP_REQUEST:
		return "it speaks plain HTTP";
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
		return "it shows no certificate";
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
		return "it asks for a client certificate";
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
		return "it does not trust the CA of our certificate";
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
		return "it does not take our certificate";
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
		return "it says that our certificate has expired";
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		return "it does not speak TLS 1.2 or later";
	default:
		return NULL;
	}
}

struct error *tls_error(const SSL *ssl, const char *peer, const char *suspect)
{
	unsigned long code = ERR_peek_error();
	long verdict = SSL_get_verify_result(ssl);
	const char *why = explain(ERR_GET_REASON(code));

	if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK)
		return error_new(ERR_TLS, "the certificate of %s: %s (%s)", peer,
				 X509_verify_cert_error_string(verdict), suspect);
	if (!why)
		why = ERR_reason_error_string(code);
	return error_new(ERR_TLS, "TLS with %s: %s", peer, why ? why : "unknown error");
}
