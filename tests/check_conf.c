/*
 * The configuration: each mistake with its file, line and words; the values that come out; the man
 * page and the example against the schema table.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "shared/conf.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static void
write_file(const char *path, const char *text, size_t len, mode_t mode)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* The file as "t", with credentials "door" and "lab"; what is wrong with it, "" for nothing. */
static char *
mistakes(const char *yaml, size_t len)
{
	static const char creds[] = "door:admin:geheim:wort\nlab:operator:\n";
	const char *creds_path = harness_tmpfile("creds");
	struct conf_errors errors = { 0 };
	struct conf *conf = NULL;
	char *text;
	int rc;

	write_file(creds_path, creds, strlen(creds), 0600);
	rc = conf_load_text("t", yaml, len, creds_path, &conf, &errors);
	text = conf_errors_text(&errors, 0);
	ck_assert_int_eq(rc, errors.n > 0 ? -EINVAL : 0);
	ck_assert((conf != NULL) == (rc == 0));
	ck_assert_msg(strstr(text, "geheim") == NULL, "a secret in: %s", text);
	conf_errors_free(&errors);
	conf_free(&conf);
	return text;
}

#define NAME_LINE "expected 1 to 32 of a-z 0-9 _ - that begin with a letter or digit"
#define TLS_EXPECTED                                                                               \
	"expected verify, insecure or sha256: and the 64 hexadecimal digits of the "               \
	"certificate's SHA-256"
#define PIN    "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff"
#define PIN_G  "g0112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff"
#define CAMERA "cameras:\n  - name: a\n    url: "

#define SERVER                                                                                     \
	"expected stun:HOST:PORT or turn:HOST:PORT, for turn perhaps with ?transport=udp or tcp"

static const struct {
	const char *yaml, *mistakes;
} cases[] = {
	{ "cameras: []\n", "" },
	{ "cameras:\n", "" },
	{ "\xef\xbb\xbf"
	  "cameras: []\n",
	  "" },
	{ "http:\nlog: ~\n", "" },
	{ CAMERA "test:clock\n", "" },
	{ CAMERA "'rtsp://[2001:db8::1]:8554/a?b=c#d'\n    credentials: lab\n", "" },
	/* the file */
	{ "", "t:1: the file is empty, expected at least \"cameras:\"" },
	{ "# nothing\n\n", "t:1: the file is empty, expected at least \"cameras:\"" },
	{ "cameras\n", "t:1: a single value, expected sections such as \"cameras:\"" },
	{ "- a\n", "t:1: a list, expected sections such as \"cameras:\"" },
	{ "http:\n\tlisten: []\n", "t:2: indented with a tab, expected spaces" },
	{ "http: [\n", "t:2: not YAML: while parsing a flow node: did not find expected node "
		       "content, expected YAML as in camhub.yaml(5)" },
	{ "http: {}\n\nlog: \"\xff\"\n",
	  "t:3: not YAML: invalid leading UTF-8 octet, expected UTF-8 text" },
	{ "cameras: []\n---\nhttp: {}\n", "t:2: second document (---), expected one" },
	{ "a: &x [ 1 ]\nb: *x\n", "t:1: anchor (&), expected the value written out\n"
				  "t:2: alias (*), expected the value written out" },
	{ "log: !!map { level: !x info }\n",
	  "t:1: tag (!), expected a plain value\nt:1: tag (!), expected a plain value" },
	{ "a: [[[[[[[[[[]]]]]]]]]]\n",
	  "t:1: nested too deep, expected sections and lists as in camhub.yaml(5)" },
	/* keys */
	{ "htpp: {}\n", "t:1: unknown key \"htpp\", expected \"http\" (did you mean that?)" },
	{ "zzz: {}\n",
	  "t:1: unknown key \"zzz\", expected one of http rtc tls access embed on_event log bus "
	  "restart limits cameras" },
	{ "log:\n  levle: info\n",
	  "t:2: unknown key \"levle\" in log:, expected \"level\" (did you mean that?)" },
	{ "log: {}\nhttp: {}\nlog: {}\n",
	  "t:3: log: is there twice (first in line 1), expected once" },
	{ "log:\n  level: info\n  level: debug\n",
	  "t:3: level: is there twice (first in line 2), expected once" },
	{ "? [ a ]\n: b\n", "t:1: a key that is no word, expected NAME: VALUE" },
	{ "log: info\n", "t:1: log: a single value, expected keys below it" },
	{ "log: []\n", "t:1: log: a list, expected keys below it" },
	{ "\"a\\e[31m\": 1\n", "t:1: unknown key \"a\\x1b[31m\", expected one of http rtc tls "
			       "access embed on_event log bus "
			       "restart limits cameras" },
	/* kinds and ranges */
	{ "http:\n  insecure: yes\n", "t:2: insecure: wrong value, expected true or false" },
	{ "http:\n  insecure: \"true\"\n",
	  "t:2: insecure: text in quotes, expected true or false without quotes" },
	{ "http:\n  insecure: []\n", "t:2: insecure: a list, expected true or false" },
	{ "http:\n  insecure:\n", "t:2: insecure: no value, expected true or false" },
	{ "limits:\n  spawns: 0\n",
	  "t:2: spawns: out of range, expected a whole number from 1 to 64" },
	{ "limits:\n  spawns: 65\n",
	  "t:2: spawns: out of range, expected a whole number from 1 to 64" },
	{ "limits:\n  spawns: 4x\n",
	  "t:2: spawns: wrong value, expected a whole number from 1 to 64" },
	{ "limits:\n  spawns: 99999999999999999999\n",
	  "t:2: spawns: wrong value, expected a whole number from 1 to 64" },
	{ "restart:\n  jitter: 20\n",
	  "t:2: jitter: wrong value, expected a percentage from 0% to 50%" },
	{ "restart:\n  jitter: 51%\n",
	  "t:2: jitter: out of range, expected a percentage from 0% to 50%" },
	{ "restart:\n  good: 5\n",
	  "t:2: good: wrong value, expected a duration from 100ms to 1h, such as 2s" },
	{ "restart:\n  good: 99ms\n",
	  "t:2: good: out of range, expected a duration from 100ms to 1h, such as 2s" },
	{ "restart:\n  good: 61m\n",
	  "t:2: good: out of range, expected a duration from 100ms to 1h, such as 2s" },
	{ "restart:\n  good: 0.0005s\n",
	  "t:2: good: wrong value, expected a duration from 100ms to 1h, such as 2s" },
	{ "restart:\n  good: 0.5ms\n",
	  "t:2: good: wrong value, expected a duration from 100ms to 1h, such as 2s" },
	{ "bus:\n  gop_cache: 16MB\n",
	  "t:2: gop_cache: wrong value, expected a size from 0 to 1GiB, such as 16MiB" },
	{ "bus:\n  gop_cache: 2GiB\n",
	  "t:2: gop_cache: out of range, expected a size from 0 to 1GiB, such as 16MiB" },
	{ "log:\n  level: loud\n",
	  "t:2: level: wrong value, expected err, warn, notice, info or debug" },
	{ "restart:\n  first: 40s\n", "t:2: first: more than max:, expected at most that" },
	{ "restart:\n  front_max: 10ms\n",
	  "t:2: front_first: more than front_max:, expected at most that" },
	{ "limits:\n  ring: 1MiB\n", "t:2: viewer_lag: more than ring:, expected at most that" },
	{ "bus:\n  group: no-such-group\n",
	  "t:2: group: no group \"no-such-group\" on this system, expected an existing one" },
	{ "bus:\n  group: video\n  mode: \"0600\"\n",
	  "t:3: mode: 0600 keeps the group out, expected 0660 with group:" },
	{ "tls: { key: /k }\n", "t:1: key: without certificate:, expected both or none" },
	{ "tls: { certificate: /c }\n", "t:1: certificate: without key:, expected both or none" },
	{ "tls: { hsts: true }\n", "t:1: hsts: without certificate:, expected TLS" },
	{ "tls: { certificate: c, key: /k }\n",
	  "t:1: certificate: \"c\" is no absolute path, expected one that begins with /" },
	{ "http: { hosts: [ a.net, \"a.net:80\", \"http://a.net\", \"*\" ] }\n",
	  "t:1: hosts: wrong name \"a.net:80\", expected a host's without scheme and port, such as "
	  "cams.example.net\n"
	  "t:1: hosts: wrong name \"http://a.net\", expected a host's without scheme and port, "
	  "such "
	  "as cams.example.net\n"
	  "t:1: hosts: wrong name \"*\", expected a host's without scheme and port, such as "
	  "cams.example.net" },
	{ "embed:\n  origins: [ \"https://a\", \"a.net\", \"https://a/b\", \"*\", \"rtsp://a\" ]\n",
	  "t:2: origins: wrong origin, expected scheme, host and port only, such as "
	  "https://example.net\n"
	  "t:2: origins: wrong origin, expected scheme, host and port only, such as "
	  "https://example.net\n"
	  "t:2: origins: wrong origin, expected scheme, host and port only, such as "
	  "https://example.net\n"
	  "t:2: origins: wrong origin, expected scheme, host and port only, such as "
	  "https://example.net" },
	/* listeners */
	{ "http:\n  listen: 127.0.0.1:80\n",
	  "t:2: listen: a single value, expected a list of at most 16, such as [ "
	  "\"127.0.0.1:8080\" ]" },
	{ "http:\n  listen: []\n", "t:2: listen: an empty list, expected at least one address" },
	{ "http:\n  listen: [ \"localhost:80\" ]\n",
	  "t:2: listen: wrong address \"localhost:80\", expected \"127.0.0.1:8080\" or "
	  "\"[::1]:8080\", port 1 to 65535" },
	{ "http:\n  listen: [ \"127.0.0.1:80\", \"127.0.0.1:80\" ]\n",
	  "t:2: listen: \"127.0.0.1:80\" is there twice, expected once" },
	{ "http:\n  listen:\n    - 127.0.0.1:80\n    - 192.0.2.1:80\n    - \"[::]:80\"\n",
	  "t:4: listen: \"192.0.2.1:80\" can be reached from other machines and there are no "
	  "users, "
	  "expected a loopback address, access: users: or insecure: true\n"
	  "t:5: listen: \"[::]:80\" can be reached from other machines and there are no users, "
	  "expected a loopback address, access: users: or insecure: true" },
	{ "access:\n  users: [ { name: ann } ]\nhttp:\n  listen: [ \"0.0.0.0:80\" ]\n", "" },
	{ "http:\n  insecure: true\n  listen: [ \"0.0.0.0:80\", \"[::1]:80\", \"127.9.9.9:1\" ]\n",
	  "" },
	/* rtc */
	{ "rtc:\n  port: 0\n", "t:2: port: out of range, expected a whole number from 1 to 65535" },
	{ "rtc:\n  listen: [ \"127.0.0.1:80\" ]\n", "t:2: listen: wrong address \"127.0.0.1:80\", "
						    "expected one without port, such as 192.0.2.7 "
						    "or 2001:db8::7" },
	{ "rtc:\n  listen:\n    - 127.0.0.1\n    - 0.0.0.0\n    - \"::\"\n",
	  "t:4: listen: \"0.0.0.0\" can be reached from other machines and there are no users, "
	  "expected "
	  "a loopback address, access: users: or http: insecure: true\n"
	  "t:5: listen: \"::\" can be reached from other machines and there are no users, expected "
	  "a loopback address, access: users: or http: insecure: true" },
	{ "access:\n  users: [ { name: ann } ]\nrtc:\n  listen: [ \"0.0.0.0\", \"::\" ]\n", "" },
	{ "http:\n  insecure: true\nrtc:\n  listen: [ \"0.0.0.0\" ]\n", "" },
	{ "rtc:\n  addresses: [ example.net ]\n", "t:2: addresses: wrong address \"example.net\", "
						  "expected one without port, such as 192.0.2.7 "
						  "or 2001:db8::7" },
	{ "rtc:\n  ice_servers: [ \"stun:192.0.2.1\", \"stuns:[2001:db8::1]:5349\" ]\n", "" },
	{ "rtc:\n  ice_credentials: lab\n  ice_servers: [ "
	  "\"turn:t.example.net:3478?transport=udp\", "
	  "\"turns:t.example.net?transport=tcp\" ]\n",
	  "" },
	{ "rtc:\n  ice_servers: [ \"turn:t.example.net\" ]\n",
	  "t:2: ice_servers: a turn: server wants a password, expected ice_credentials:" },
	{ "rtc:\n  ice_credentials: nobody\n",
	  "t:2: ice_credentials: not a name in the credentials file, expected that of a line "
	  "NAME:USER:PASSWORD there" },
	{ "rtc:\n  ice_servers:\n    - \"stun:a b\"\n    - \"http://a\"\n    - "
	  "\"stun:a?transport=udp\"\n"
	  "    - \"stun:a:123456\"\n",
	  "t:3: ice_servers: wrong server \"stun:a b\", " SERVER "\n"
	  "t:4: ice_servers: wrong server \"http://a\", " SERVER "\n"
	  "t:5: ice_servers: wrong server \"stun:a?transport=udp\", " SERVER "\n"
	  "t:6: ice_servers: wrong server \"stun:a:123456\", " SERVER },
	/* cameras */
	{ "cameras: { a: b }\n",
	  "t:1: cameras: a section, expected a list (each begins with \"- name:\")" },
	{ "cameras:\n  - door\n",
	  "t:2: cameras: a single value in the list, expected \"- name: NAME\" "
	  "and \"url: URL\" below it" },
	{ "cameras:\n  - title: x\n", "t:2: camera without name:, expected it\n"
				      "t:2: camera without url:, expected it" },
	{ "cameras:\n  - name: Door!\n    url: test:clock\n",
	  "t:2: name: bad name \"Door!\", " NAME_LINE },
	{ "cameras:\n  - name: metrics\n    url: test:clock\n",
	  "t:2: name: bad name \"metrics\", expected one that is no address of camhub itself" },
	{ "cameras:\n  - name: http\n    url: test:clock\n",
	  "t:2: name: bad name \"http\", expected one that is no address of camhub itself" },
	{ "cameras:\n  - name: -a\n    url: test:clock\n",
	  "t:2: name: bad name \"-a\", " NAME_LINE },
	{ "cameras:\n  - name: a.sub\n    url: test:clock\n",
	  "t:2: name: bad name \"a.sub\", " NAME_LINE },
	{ "cameras:\n  - name: \"\"\n    url: test:clock\n",
	  "t:2: name: bad name \"\", " NAME_LINE },
	{ "cameras:\n  - name: a23456789012345678901234567890123\n    url: test:clock\n",
	  "t:2: name: bad name \"a23456789012345678901234567890123\", " NAME_LINE },
	{ "cameras:\n  - name: a2345678901234567890123456789012\n    url: test:clock\n", "" },
	{ CAMERA "test:clock\n  - url: test:clock\n    name: a\n",
	  "t:5: name: \"a\" is already a camera (line 2), expected another name" },
	{ CAMERA "test:clock\n    title: \"\"\n",
	  "t:4: title: empty text, expected text of 1 to 256 bytes" },
	{ CAMERA "test:clock\n    group: \"\"\n",
	  "t:4: group: empty text, expected text of 1 to 64 bytes" },
	{ CAMERA "test:clock\n    group: \"a\\tb\"\n",
	  "t:4: group: control character in the text, expected plain text" },
	{ CAMERA "test:clock\n    title: \"a\\nb\"\n",
	  "t:4: title: control character in the text, expected plain text" },
	{ CAMERA "test:clock\n    title: \"a\\0b\"\n",
	  "t:4: title: NUL byte in the text, expected text" },
	{ CAMERA "test:clock\n    transport: quic\n",
	  "t:4: transport: wrong value, expected tcp, udp or auto" },
	{ CAMERA "test:clock\n    sub: RTSPS://h/\n    transport: udp\n",
	  "t:5: transport: rtsps:// has no udp, expected tcp or auto" },
	{ CAMERA "rtsps://h/\n    tls: insecure\n", "" },
	{ CAMERA "test:clock\n    sub: RTSPS://h/\n    tls: sha256:" PIN "\n", "" },
	{ CAMERA "rtsps://h/\n    tls: off\n", "t:4: tls: wrong value, " TLS_EXPECTED },
	{ CAMERA "rtsps://h/\n    tls: sha256:" PIN "0\n", "t:4: tls: wrong value, " TLS_EXPECTED },
	{ CAMERA "rtsps://h/\n    tls: sha1:" PIN "\n", "t:4: tls: wrong value, " TLS_EXPECTED },
	{ CAMERA "rtsps://h/\n    tls: sha256:" PIN_G "\n",
	  "t:4: tls: wrong value, " TLS_EXPECTED },
	{ CAMERA "rtsp://h/\n    tls: verify\n",
	  "t:4: tls: for rtsps:// alone, expected that scheme or no tls:" },
	{ CAMERA "https://h/\n    tls: insecure\n",
	  "t:4: tls: for rtsps:// alone, expected that scheme or no tls:" },
	{ CAMERA "rtsps://h/\n    ingest: av\n    tls: verify\n",
	  "t:5: tls: ingest: av checks no certificate, expected ingest: auto or tls: insecure" },
	{ CAMERA "rtsps://h/\n    ingest: av\n    tls: insecure\n", "" },
	{ CAMERA "rtsp://h/\n    vui: off\n", "t:4: vui: wrong value, expected auto or keep" },
	{ CAMERA "rtsp://h/\n    transcode: no\n",
	  "t:4: transcode: wrong value, expected auto or never" },
	{ CAMERA "rtsp://h/\n    reorder: 1001ms\n",
	  "t:4: reorder: out of range, expected a duration from 0 to 1s, such as 60ms" },
	{ CAMERA "rtsp://h/\n    loss_hold_ms: 1s\n",
	  "t:4: loss_hold_ms: wrong value, expected a whole number from 0 to 600000" },
	{ CAMERA "test:clock\n    password: geheim\n",
	  "t:4: unknown key \"password\" in cameras:, expected credentials: NAME and a line "
	  "NAME:USER:PASSWORD in the credentials file" },
	{ CAMERA "test:clock\n    rtsp://admin:geheim@h/: x\n",
	  "t:4: unknown key \"...\" in cameras:, expected one of name title group url sub "
	  "credentials transport on_demand ingest tls vui transcode reorder open_timeout "
	  "stall_timeout "
	  "loss_hold_ms" },
	{ CAMERA "test:clock\n    credentials: admin:geheim\n",
	  "t:4: credentials: not a name, expected the NAME of a line NAME:USER:PASSWORD in the "
	  "credentials file" },
	{ "cameras:\n  - name: admin:geheim@h\n    url: test:clock\n",
	  "t:2: name: bad name \"...\", " NAME_LINE },
	/* URLs */
	{ CAMERA "rtsp://admin:geheim@h/\n",
	  "t:3: url: user or password in the URL, expected credentials: NAME and a line "
	  "NAME:USER:PASSWORD in the credentials file" },
	{ CAMERA "exec:ls\n",
	  "t:3: url: unknown scheme \"exec\", expected one of rtsp:// rtsps:// http:// "
	  "https:// rtmp:// hls:// hls+http:// hls+https:// v4l2: file: test:" },
	{ CAMERA "admin:geheim@h\n",
	  "t:3: url: unknown scheme, expected one of rtsp:// rtsps:// http:// https:// rtmp:// "
	  "hls:// hls+http:// hls+https:// v4l2: file: test:" },
	{ CAMERA "\"\"\n", "t:3: url: empty URL, expected scheme://host/path" },
	{ CAMERA "test:clock?bla=1\n",
	  "t:3: url: unknown parameter \"bla\" of test:, expected one of size fps gop codec" },
	{ CAMERA "test:clock?fps=61\n",
	  "t:3: url: wrong value of parameter \"fps\", expected a whole number from 1 to 60" },
	{ CAMERA "test:clock?fps=5&fps=6\n",
	  "t:3: url: parameter \"fps\" is there twice, expected once" },
	{ CAMERA "test:clock?size=101x100\n",
	  "t:3: url: wrong value of parameter \"size\", expected WIDTHxHEIGHT, even, from 64x64 to "
	  "3840x2160" },
	{ CAMERA "test:bars\n", "t:3: url: unknown pattern, expected test:clock" },
	{ CAMERA "file:a.mp4\n", "t:3: url: no absolute path, expected file:/NAME" },
	{ CAMERA "v4l2:/etc/passwd\n", "t:3: url: wrong path, expected v4l2:/dev/NAME" },
	{ CAMERA "v4l2:/dev/../etc/passwd\n", "t:3: url: wrong path, expected v4l2:/dev/NAME" },
	{ CAMERA "rtsp:/h/\n", "t:3: url: no // behind the scheme, expected rtsp://host/path" },
	{ CAMERA "rtsp://h:0/\n",
	  "t:3: url: wrong port in the URL, expected a number from 1 to 65535" },
	{ CAMERA "\"rtsp://h/a b\"\n",
	  "t:3: url: space or control byte in the URL, expected it as %20" },
	/* all at once, in order */
	{ "log:\n  level: loud\ncameras:\n  - name: B\n    url: x\n    on_demand: 1\nbus:\n  mode: "
	  "1\n",
	  "t:2: level: wrong value, expected err, warn, notice, info or debug\n"
	  "t:4: name: bad name \"B\", " NAME_LINE "\n"
	  "t:5: url: URL without a scheme, expected one of rtsp:// rtsps:// http:// https:// "
	  "rtmp:// "
	  "hls:// hls+http:// hls+https:// v4l2: file: test:\n"
	  "t:6: on_demand: wrong value, expected true or false\n"
	  "t:8: mode: wrong value, expected 0600 or 0660" },
};
#define N_CASES ((int)(sizeof(cases) / sizeof(cases[0])))

START_TEST(test_mistakes)
{
	char *text = mistakes(cases[_i].yaml, strlen(cases[_i].yaml));

	ck_assert_msg(strcmp(text, cases[_i].mistakes) == 0,
		      "this file:\n%s\nshould give:\n%s\nbut gives:\n%s", cases[_i].yaml,
		      cases[_i].mistakes, text);
	free(text);
}
END_TEST

/* What would take long or much memory in a careless parser is refused at once. */
START_TEST(test_bombs)
{
	static const char *const units[] = { "[",    "{",      "- ",    "? ",   "a: ",
					     "{a: ", "[[a]: ", "\"",    "&a ",  "!a ",
					     "*a ",  "a\n",    "- a\n", "# \n", "a: [b, c]\n" };
	size_t size = CONF_MAX_FILE_BYTES, unit_len = strlen(units[_i]);
	char *text = xmalloc(size), *told;
	clock_t begin = clock();

	for (size_t i = 0; i < size; i++)
		text[i] = units[_i][i % unit_len];
	told = mistakes(text, size);
	ck_assert_str_ne(told, "");
	ck_assert_uint_lt(strlen(told), 65536);
	/* CPU time, not wall clock: it does not depend on what else runs. */
	ck_assert_msg(clock() - begin < 10 * CLOCKS_PER_SEC, "%s", units[_i]);
	free(told);
	free(text);
}
END_TEST

START_TEST(test_sizes)
{
	size_t size = CONF_MAX_FILE_BYTES + 1;
	char *text = xmalloc(size + 1), *told;
	struct conf_errors errors = { 0 };
	struct conf *conf = NULL;
	const char *path = harness_tmpfile("big");

	memset(text, '#', size);
	text[size] = '\0';
	memcpy(text, "log: {}\n", 8);
	told = mistakes(text, size - 1);
	ck_assert_str_eq(told, "");
	free(told);
	told = mistakes(text, size);
	ck_assert_str_eq(told, "t:1: more than 1 MiB of text, expected less");
	free(told);
	write_file(path, text, size, 0644);
	ck_assert_int_eq(conf_load(path, NULL, &conf, &errors), -EINVAL);
	ck_assert_uint_eq(errors.n, 1);
	ck_assert_str_eq(errors.list[0].text,
			 "file of 1048577 bytes, expected at most 1048576 (1 MiB)");
	conf_errors_free(&errors);
	free(text);
}
END_TEST

static char *
many_cameras(unsigned n)
{
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	fputs("cameras:\n", file);
	for (unsigned i = 0; i < n; i++)
		fprintf(file, "  - { name: c%u, url: \"test:clock\" }\n", i);
	fclose(file);
	return text;
}

START_TEST(test_number_of_cameras)
{
	char *yaml = many_cameras(256), *told = mistakes(yaml, strlen(yaml));

	ck_assert_str_eq(told, "");
	free(told);
	free(yaml);
	yaml = many_cameras(257);
	told = mistakes(yaml, strlen(yaml));
	ck_assert_str_eq(told, "t:258: cameras: 257 of them, expected at most 256");
	free(told);
	free(yaml);
}
END_TEST

START_TEST(test_many_mistakes_are_counted)
{
	char *yaml = NULL, *told, *cut;
	struct conf_errors errors = { 0 };
	struct conf *conf = NULL;
	size_t len;
	FILE *file = open_memstream(&yaml, &len);

	fputs("cameras:\n", file);
	for (int i = 0; i < 250; i++)
		fprintf(file, "  - { name: C%d, url: \"test:clock\" }\n", i);
	fclose(file);
	told = mistakes(yaml, len);
	ck_assert_ptr_nonnull(strstr(told, "t:201: name: bad name \"C199\""));
	ck_assert_ptr_nonnull(
	    strstr(told, "t:201: too many mistakes to show the rest, expected none"));
	ck_assert_int_eq(conf_load_text("t", yaml, len, NULL, &conf, &errors), -EINVAL);
	cut = conf_errors_text(&errors, 300);
	ck_assert_uint_lt(strlen(cut), 300);
	/* Cut behind a whole line. */
	ck_assert_int_eq(strncmp(told, cut, strlen(cut)), 0);
	ck_assert_int_eq(told[strlen(cut)], '\n');
	free(cut);
	conf_errors_free(&errors);
	free(told);
	free(yaml);
}
END_TEST

static struct conf *
load(const char *yaml, const char *creds_path)
{
	struct conf_errors errors = { 0 };
	struct conf *conf = NULL;

	if (conf_load_text("t", yaml, strlen(yaml), creds_path, &conf, &errors) < 0)
		ck_abort_msg("%s", conf_errors_text(&errors, 0));
	return conf;
}

START_TEST(test_values)
{
	const char *creds_path = harness_tmpfile("creds");
	struct conf *conf;

	write_file(creds_path, "door:admin:a:b\r\n", 16, 0600);
	conf = load("http: { listen: [ \"[::1]:81\" ], request_deadline: 2.5s, live_target: 0 }\n"
		    "embed: { origins: [ \"https://a.net:444\" ] }\n"
		    "log: { level: debug }\nbus: { group: video, gop_cache: 0 }\n"
		    "restart: { good: 1h, jitter: 0%, max: 1.001s }\nlimits: { ring: 4GiB }\n"
		    "cameras:\n"
		    "  - { name: door, title: Haustür, url: rtsp://h/1, sub: rtsp://h/2,\n"
		    "      credentials: door, transport: udp, on_demand: true, ingest: av,\n"
		    "      open_timeout: 1m, stall_timeout: 100ms, vui: keep, reorder: 0,\n"
		    "      loss_hold_ms: 0, group: Garten, transcode: never }\n"
		    "  - { name: 123, url: \"test:clock\" }\n",
		    creds_path);
	ck_assert_uint_eq(conf->n_listen, 1);
	ck_assert_int_eq(conf->listen[0].addr.ss_family, AF_INET6);
	ck_assert_int_eq(conf->request_deadline_ms, 2500);
	ck_assert_int_eq(conf->live_target_ms, 0);
	ck_assert_str_eq(conf->origins.list[0], "https://a.net:444");
	ck_assert_int_eq(conf->log_level, LOG_LEVEL_DEBUG);
	ck_assert_int_eq(conf->bus_mode, 0660);
	ck_assert_int_ne((int)conf->bus_gid, -1);
	ck_assert_int_eq(conf->gop_cache_bytes, 0);
	ck_assert_int_eq(conf->restart_worker.good_ms, 3600000);
	/* How long is good is asked of workers alone. */
	ck_assert_int_eq(conf->restart_front.good_ms, backoff_front.good_ms);
	ck_assert_int_eq(conf->restart_front.jitter_percent, 0);
	ck_assert_int_eq(conf->restart_worker.max_ms, 1001);
	ck_assert_int_eq(conf->ring_bytes, 4LL << 30);
	ck_assert_uint_eq(conf->n_cameras, 2);
	ck_assert_str_eq(conf->cameras[0].title, "Haustür");
	ck_assert_str_eq(conf->cameras[0].group, "Garten");
	ck_assert_ptr_null(conf->cameras[1].group);
	ck_assert_str_eq(conf->cameras[0].user, "admin");
	ck_assert_str_eq(conf->cameras[0].password, "a:b");
	ck_assert_str_eq(conf_transport_name(conf->cameras[0].transport), "udp");
	ck_assert_int_eq(conf->cameras[0].ingest, CONF_INGEST_AV);
	ck_assert(conf->cameras[0].on_demand);
	ck_assert_int_eq(conf->cameras[0].open_timeout_ms, 60000);
	ck_assert_int_eq(conf->cameras[0].vui, CONF_VUI_KEEP);
	ck_assert_int_eq(conf->cameras[0].transcode, CONF_TRANSCODE_NEVER);
	ck_assert_int_eq(conf->cameras[1].transcode, CONF_TRANSCODE_AUTO);
	ck_assert_int_eq(conf->cameras[0].reorder_ms, 0);
	ck_assert_int_eq(conf->cameras[0].loss_hold_ms, 0);
	ck_assert_str_eq(conf->cameras[0].tls, "verify");
	ck_assert_int_eq(conf->cameras[1].vui, CONF_VUI_AUTO);
	ck_assert_int_eq(conf->cameras[1].reorder_ms, 60);
	ck_assert_int_eq(conf->cameras[1].loss_hold_ms, 1000);
	ck_assert_int_eq(conf->cameras[1].stall_timeout_ms, 3000);
	ck_assert_str_eq(conf->cameras[1].title, "123");
	ck_assert_uint_eq(conf->n_streams, 3);
	ck_assert_str_eq(conf->streams[1].name, "door.sub");
	ck_assert_str_eq(conf->streams[1].url, "rtsp://h/2");
	ck_assert(conf->streams[1].is_sub);
	ck_assert_uint_eq(conf->streams[1].order, 0);
	ck_assert_uint_eq(conf->streams[2].order, 1);
	ck_assert_ptr_eq(conf_find_stream(conf, "123"), &conf->streams[2]);
	ck_assert_ptr_null(conf_find_stream(conf, "12"));
	conf_free(&conf);
	ck_assert_ptr_null(conf);
	conf_free(&conf);
}
END_TEST

/* The numbers that the program's documents promise. */
START_TEST(test_defaults)
{
	struct conf *conf = conf_defaults();

	ck_assert_uint_eq(conf->n_listen, 1);
	ck_assert_str_eq(conf->listen[0].text, "127.0.0.1:8080");
	ck_assert(!conf->insecure);
	/* Whoever drips is gone 5 s after the connect: with time for a machine that is busy. */
	ck_assert_int_le(conf->request_deadline_ms, 4500);
	ck_assert_int_eq(conf->live_target_ms, 40);
	ck_assert_int_eq(conf->log_level, LOG_LEVEL_INFO);
	ck_assert_int_eq(conf->bus_mode, 0600);
	ck_assert_int_eq((int)conf->bus_gid, -1);
	ck_assert_int_eq(conf->gop_cache_bytes, 16 << 20);
	ck_assert_int_eq(conf->restart_worker.good_ms, backoff_worker.good_ms);
	ck_assert_int_eq(conf->restart_worker.floor_ms, backoff_worker.floor_ms);
	ck_assert_int_eq(conf->restart_worker.first_ms, backoff_worker.first_ms);
	ck_assert_int_eq(conf->restart_worker.max_ms, backoff_worker.max_ms);
	ck_assert_int_eq(conf->restart_worker.jitter_percent, backoff_worker.jitter_percent);
	ck_assert_int_eq(conf->restart_front.good_ms, backoff_front.good_ms);
	ck_assert_int_eq(conf->restart_front.floor_ms, backoff_front.floor_ms);
	ck_assert_int_eq(conf->restart_front.first_ms, backoff_front.first_ms);
	ck_assert_int_eq(conf->restart_front.max_ms, backoff_front.max_ms);
	ck_assert_int_eq(conf->restart_front.jitter_percent, backoff_front.jitter_percent);
	ck_assert_int_eq(conf->auth_wait_ms, 60000);
	ck_assert_int_eq(conf->silence_ms, 2500);
	ck_assert_int_eq(conf->stop_wait_ms, 3000);
	ck_assert_int_eq(conf->max_spawns, 4);
	ck_assert_int_eq(conf->max_snapshots, 2);
	ck_assert_int_eq(conf->linger_ms, 10000);
	ck_assert_uint_eq(conf->n_streams, 0);
	conf_free(&conf);
}
END_TEST

static Suite *
conf_suite(void)
{
	Suite *suite = suite_create("conf");
	TCase *tcase = tcase_create("conf");

	tcase_add_loop_test(tcase, test_mistakes, 0, N_CASES);
	tcase_add_loop_test(tcase, test_bombs, 0, 15);
	tcase_add_test(tcase, test_sizes);
	tcase_add_test(tcase, test_number_of_cameras);
	tcase_add_test(tcase, test_many_mistakes_are_counted);
	tcase_add_test(tcase, test_values);
	tcase_add_test(tcase, test_defaults);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(conf_suite)
