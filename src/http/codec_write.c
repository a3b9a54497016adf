/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing heads, line by line. What must not be in a line is asserted, not escaped: nothing gets
 * here that was not parsed by codec_head.c or made by us.
 */
#include <assert.h>

#include "http/codec.h"
#include "http/token.h"

void http_write_header(struct strbuf *out, struct str name, struct str value)
{
	assert(http_is_token(name));
	assert(http_is_field_text(value));
	strbuf_add(out, name);
	strbuf_add(out, STR(": "));
	strbuf_add(out, value);
	strbuf_add(out, STR("\r\n"));
}

bool http_header_is_ours(struct str name)
{
	static const struct str ours[] = {
		STR_INIT("Host"),	STR_INIT("Content-Length"), STR_INIT("Transfer-Encoding"),
		STR_INIT("Connection"), STR_INIT("Keep-Alive"),	    STR_INIT("Proxy-Connection"),
		STR_INIT("Upgrade"),	STR_INIT("Expect"),	    STR_INIT("TE"),
		STR_INIT("Trailer"),
	};

	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		if (str_eq_nocase(name, ours[i]))
			return true;
	}
	return false;
}

void http_write_status_line(struct strbuf *out, int status, struct str reason)
{
	assert(status >= 100 && status <= 599);
	assert(http_is_field_text(reason));
	strbuf_addf(out, "HTTP/1.1 %d ", status);
	strbuf_add(out, reason.n > 0 ? reason : str_from(http_reason(status)));
	strbuf_add(out, STR("\r\n"));
}

void http_write_request_line(struct strbuf *out, struct str method, struct str target)
{
	assert(http_is_token(method));
	assert(target.n > 0 && http_is_field_text(target) && !str_has_char(target, ' '));
	strbuf_add(out, method);
	strbuf_addc(out, ' ');
	strbuf_add(out, target);
	strbuf_add(out, STR(" HTTP/1.1\r\n"));
}

/* IANA's list, as far as Docker's API and we use it; "" for the rest, which is valid too. */
const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 100, "Continue" },
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "";
}
