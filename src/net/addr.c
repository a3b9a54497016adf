/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses as text. A host is taken by its form only: whether it exists is for the dialler.
 */
#include "net/addr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "net/sockaddr.h"

static bool host_char(char c, bool bracketed)
{
	if (isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_')
		return true;
	return bracketed && (c == ':' || c == '%');
}

static bool host_valid(struct str host, bool bracketed)
{
	for (size_t i = 0; i < host.n; i++)
		if (!host_char(host.p[i], bracketed))
			return false;
	return !bracketed || str_has_char(host, ':');
}

static must_check struct error *invalid(struct str text, const char *why)
{
	return error_new(ERR_INVALID, "invalid address \"%.*s\": %s", STR_ARG(text), why);
}

/* `text` is the whole as the user wrote it, for the message; `rest` what is behind the scheme. */
static must_check struct error *parse_tcp(struct str text, struct str rest, struct addr *ret)
{
	struct addr a = { .kind = ADDR_TCP };
	struct str host, port;
	uint64_t number;

	if (!str_rcut(rest, ':', &host, &port))
		return invalid(text, "it has no port");

	bool bracketed = str_starts(host, STR("[")) && str_ends(host, STR("]"));

	if (bracketed)
		host = str_of(host.p + 1, host.n - 2);
	if (!bracketed && str_has_char(host, ':'))
		return invalid(text, "an IPv6 address goes in brackets, and a port behind it");
	if (host.n >= sizeof(a.host))
		return invalid(text, "the host is too long");
	if (!host_valid(host, bracketed))
		return invalid(text, "the host is neither a name nor an IP address");
	if (!str_to_u64(port, &number) || number > UINT16_MAX)
		return invalid(text, "the port is no number up to 65535");
	if (host.n > 0)
		memcpy(a.host, host.p, host.n);
	a.port = (uint16_t)number;
	*ret = a;
	return NULL;
}

struct error *addr_parse_host_port(struct str text, struct addr *ret)
{
	struct addr a;

	if (str_contains(text, STR("://")))
		return invalid(text, "it is host:port alone, without a scheme");
	TRY(parse_tcp(text, text, &a));
	if (a.host[0] == '\0')
		return invalid(text, "it has no host");
	if (a.port == 0)
		return invalid(text, "the port is 0");
	*ret = a;
	return NULL;
}

static must_check struct error *parse_path(struct str text, struct str path, enum addr_kind kind,
					   struct addr *ret)
{
	struct addr a = { .kind = kind };

	if (path.n >= sizeof(a.path))
		return invalid(text, "the path is too long");
	if (kind == ADDR_UNIX && !str_starts(path, STR("/")))
		return invalid(text, "the path is not absolute");
	if (memchr(text.p, '\0', text.n))
		return invalid(text, "it has a NUL byte");
	if (path.n > 0)
		memcpy(a.path, path.p, path.n);
	*ret = a;
	return NULL;
}

struct error *addr_parse(struct str text, struct addr *ret)
{
	ptrdiff_t at = str_find(text, STR("://"));
	struct str scheme = str_first(text, at < 0 ? 0 : (size_t)at);
	struct str rest = at < 0 ? text : str_skip(text, (size_t)at + 3);

	if (at < 0 || str_eq(scheme, STR("tcp")))
		return parse_tcp(text, rest, ret);
	if (str_eq(scheme, STR("unix")))
		return parse_path(text, rest, ADDR_UNIX, ret);
	if (str_eq(scheme, STR("fd")))
		return parse_path(text, rest, ADDR_FD, ret);
	return invalid(text, "the scheme is none of tcp, unix, fd");
}

void addr_format(const struct addr *a, struct strbuf *out)
{
	if (a->kind == ADDR_UNIX)
		strbuf_add(out, str_from(a->path));
	else if (a->kind == ADDR_FD)
		strbuf_addf(out, "fd://%s", a->path);
	else if (strchr(a->host, ':'))
		strbuf_addf(out, "[%s]:%u", a->host, a->port);
	else
		strbuf_addf(out, "%s:%u", a->host, a->port);
}

void addr_subscriber(struct str peer, struct strbuf *out)
{
	struct sockaddr_any address;
	char text[INET6_ADDRSTRLEN];
	struct addr a;
	struct error *err = addr_parse_host_port(peer, &a);

	if (err || !sockaddr_numeric(a.host, a.port, &address)) {
		error_free(err);
		strbuf_add(out, peer);
		return;
	}
	if (address.any.sa_family != AF_INET6) {
		strbuf_add(out, str_from(a.host));
		return;
	}
	memset(&address.v6.sin6_addr.s6_addr[8], 0, 8);
	inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof(text));
	strbuf_addf(out, "%s/64", text);
}

bool addr_is_numeric(const struct addr *a)
{
	struct sockaddr_any address;

	return a->kind == ADDR_TCP && a->host[0] && sockaddr_numeric(a->host, a->port, &address);
}

bool addr_is_loopback(const struct addr *a)
{
	struct sockaddr_any address;

	if (a->kind != ADDR_TCP)
		return false;
	if (strcasecmp(a->host, "localhost") == 0)
		return true;
	return a->host[0] && sockaddr_numeric(a->host, a->port, &address) &&
	       sockaddr_is_loopback(&address);
}
