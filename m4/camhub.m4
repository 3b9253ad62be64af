# What configure asks of the system. Every missing library is named together
# with the Debian package that has it, all of them at once.

# CAMHUB_NEED(VARIABLE, PKG-CONFIG MODULES, DEBIAN PACKAGE)
AC_DEFUN([CAMHUB_NEED], [
	PKG_CHECK_MODULES([$1], [$2], [], [camhub_missing="$camhub_missing
    $2: apt-get install $3"])
])

# CAMHUB_NEED_LIB(VARIABLE, LIBRARY, HEADER, FUNCTION, DEBIAN PACKAGE): for those that Debian
# ships without a pkg-config file.
AC_DEFUN([CAMHUB_NEED_LIB], [
	camhub_found=no
	AC_CHECK_HEADER([$3], [AC_CHECK_LIB([$2], [$4], [camhub_found=yes])])
	AS_IF([test $camhub_found = yes], [$1_LIBS=-l$2], [camhub_missing="$camhub_missing
    $2: apt-get install $5"])
	AC_SUBST([$1_LIBS])
])

AC_DEFUN([CAMHUB_LIBRARIES], [
	camhub_missing=
	CAMHUB_NEED([EVENT], [libevent_core >= 2.1.12 libevent_extra >= 2.1.12], [libevent-dev])
	CAMHUB_NEED([EVENT_TLS], [libevent_openssl >= 2.1.12], [libevent-dev])
	CAMHUB_NEED([JANSSON], [jansson >= 2.13], [libjansson-dev])
	CAMHUB_NEED([YAML], [yaml-0.1 >= 0.2], [libyaml-dev])
	CAMHUB_NEED([AV], [libavformat >= 59 libavcodec >= 59 libavutil >= 57 libswscale >= 6 libswresample >= 4 libavdevice >= 59],
		[libavformat-dev libavcodec-dev libavutil-dev libswscale-dev libswresample-dev libavdevice-dev])
	CAMHUB_NEED([CRYPTO], [libcrypto >= 3.0], [libssl-dev])
	CAMHUB_NEED([TLS], [libssl >= 3.0], [libssl-dev])
	CAMHUB_NEED([LIBRE], [libre >= 1.1.0], [libre-dev])
	CAMHUB_NEED([SECCOMP], [libseccomp >= 2.5], [libseccomp-dev])
	CAMHUB_NEED_LIB([NNG], [nng], [nng/nng.h], [nng_msg_alloc], [libnng-dev])
	CAMHUB_NEED_LIB([CRYPT], [crypt], [crypt.h], [crypt_gensalt_rn], [libcrypt-dev])
	CAMHUB_NEED_LIB([WSLAY], [wslay], [wslay/wslay.h], [wslay_event_context_server_init], [libwslay-dev])
	AS_IF([test -n "$camhub_missing"], [AC_MSG_ERROR([missing libraries, and the Debian packages that have them:$camhub_missing])])
])

AC_DEFUN([CAMHUB_FLAG], [
	AC_MSG_CHECKING([whether $CC takes $1])
	camhub_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -Werror $1"
	AC_LINK_IFELSE([AC_LANG_PROGRAM], [AC_MSG_RESULT([yes]); camhub_flags="$camhub_flags $1"], [AC_MSG_RESULT([no])])
	CFLAGS=$camhub_save_CFLAGS
])

AC_DEFUN([CAMHUB_COMPILER], [
	AC_ARG_ENABLE([sanitizers], [AS_HELP_STRING([--enable-sanitizers@<:@=LIST@:>@],
		[build with sanitizers (default list: address,undefined)])], [], [enable_sanitizers=no])
	AC_ARG_ENABLE([hardening], [AS_HELP_STRING([--disable-hardening], [no hardening flags])],
		[], [enable_hardening=yes])
	AC_ARG_ENABLE([fuzzers], [AS_HELP_STRING([--enable-fuzzers], [build the libFuzzer targets (needs clang)])],
		[], [enable_fuzzers=no])
	AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage], [count the lines that tests run (gcov)])],
		[], [enable_coverage=no])
	AC_ARG_ENABLE([sandbox], [AS_HELP_STRING([--disable-sandbox],
		[no seccomp, no Landlock: for seeing what the tests say to that])], [], [enable_sandbox=yes])
	# What these add to a program reads and writes files when it ends.
	AS_IF([test "$enable_sandbox" = no || test "$enable_sanitizers" != no || test "$enable_fuzzers" = yes ||
		test "$enable_coverage" = yes],
		[AC_DEFINE([CAMHUB_NO_SANDBOX], [1], [Define to 1 to build without the sandbox.])])
	AM_CONDITIONAL([FUZZERS], [test "$enable_fuzzers" = yes])
	# Fuzzing sees only what is instrumented: the libraries too.
	AS_IF([test "$enable_fuzzers" = yes], [enable_sanitizers=fuzzer])
	camhub_flags=
	CAMHUB_FLAG([-std=gnu11])
	for flag in -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
		-Wvla -Wformat=2 -Wundef -Wwrite-strings -Wno-missing-field-initializers -fno-strict-aliasing; do
		CAMHUB_FLAG([$flag])
	done
	AS_CASE([$enable_sanitizers],
		[no], [AS_IF([test "$enable_hardening" = yes], [
			for flag in -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection \
				-fcf-protection -fPIE; do
				CAMHUB_FLAG([$flag])
			done
			CAMHUB_LDFLAGS="-pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack"])],
		[yes], [camhub_flags="$camhub_flags -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"],
		[fuzzer], [camhub_flags="$camhub_flags -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"],
		[camhub_flags="$camhub_flags -fsanitize=$enable_sanitizers -fno-omit-frame-pointer"])
	AS_IF([test "$enable_coverage" = yes], [camhub_flags="$camhub_flags -O0 --coverage"])
	AM_CONDITIONAL([SANITIZERS], [test "$enable_sanitizers" != no])
	CAMHUB_CFLAGS=$camhub_flags
	AC_SUBST([CAMHUB_CFLAGS])
	AC_SUBST([CAMHUB_LDFLAGS])
])

AC_DEFUN([CAMHUB_DIRECTORIES], [
	AC_ARG_WITH([runtime-dir], [AS_HELP_STRING([--with-runtime-dir=DIR],
		[default runtime directory @<:@/run/camhub@:>@])], [], [with_runtime_dir=/run/camhub])
	runtimedir=$with_runtime_dir
	AC_SUBST([runtimedir])
	AC_ARG_WITH([systemdsystemunitdir], [AS_HELP_STRING([--with-systemdsystemunitdir=DIR],
		[where the units go @<:@PREFIX/lib/systemd/system@:>@])], [], [with_systemdsystemunitdir='${prefix}/lib/systemd/system'])
	systemdsystemunitdir=$with_systemdsystemunitdir
	AC_SUBST([systemdsystemunitdir])
	AC_ARG_WITH([sysusersdir], [AS_HELP_STRING([--with-sysusersdir=DIR],
		[where the sysusers.d file goes @<:@PREFIX/lib/sysusers.d@:>@])], [], [with_sysusersdir='${prefix}/lib/sysusers.d'])
	sysusersdir=$with_sysusersdir
	AC_SUBST([sysusersdir])
	AC_ARG_WITH([bashcompletiondir], [AS_HELP_STRING([--with-bashcompletiondir=DIR],
		[where bash completion goes @<:@DATADIR/bash-completion/completions@:>@])], [], [with_bashcompletiondir='${datadir}/bash-completion/completions'])
	bashcompletiondir=$with_bashcompletiondir
	AC_SUBST([bashcompletiondir])
	pkglibexecdir='${libexecdir}/camhub'
	AC_SUBST([pkglibexecdir])
	webdir='${datadir}/camhub/web'
	AC_SUBST([webdir])
])

AC_DEFUN([CAMHUB_TEST_TOOLS], [
	PKG_CHECK_MODULES([CHECK], [check >= 0.15], [have_check=yes], [have_check=no
		AC_MSG_NOTICE([check is missing: make check will need: apt-get install check])])
	AM_CONDITIONAL([HAVE_CHECK], [test "$have_check" = yes])
	PKG_CHECK_MODULES([GSTRTSP], [gstreamer-rtsp-server-1.0 gstreamer-app-1.0 gio-2.0], [have_gstrtsp=yes], [have_gstrtsp=no
		AC_MSG_NOTICE([gst-rtsp-server is missing: tests with a real RTSP server are skipped (apt-get install libgstrtspserver-1.0-dev)])])
	AM_CONDITIONAL([HAVE_GSTRTSP], [test "$have_gstrtsp" = yes])
])
