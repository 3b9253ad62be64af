# bash completion for camctl(1)                                        -*- shell-script -*-

# The names of the streams (or cameras only, with "cameras"), from a supervisor that runs.
_camctl_cameras()
{
	"${words[0]}" "${_camctl_global[@]}" status --json 2>/dev/null |
		sed -n 's/^ *"name": "\([a-z0-9][a-z0-9_.-]*\)".*/\1/p'
}

_camctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i command=
	local words=("${COMP_WORDS[@]}") _camctl_global=() reply=
	COMPREPLY=()

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--runtime-dir | --libexec-dir)
			_camctl_global+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
			((i++))
			;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	case $prev in
	--runtime-dir | --libexec-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--credentials | --config | --output | -o)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--tls)
		reply="verify insecure"
		;;
	--transport)
		mapfile -t COMPREPLY < <(compgen -W "tcp udp auto" -- "$cur")
		return
		;;
	--user | --name | --hours | --viewers | --base)
		return
		;;
	esac
	case $command in
	"") reply="status check reload restart log-level version certificate probe passwd link token revoke viewers kick analysers support --runtime-dir --libexec-dir --version --help" ;;
	viewers | analysers) reply=--json ;;
	status) reply="--json --watch $(_camctl_cameras)" ;;
	restart) reply=$(_camctl_cameras) ;;
	log-level) reply="err warn notice info debug" ;;
	check)
		[[ $cur == -* ]] || {
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
		}
		reply=--credentials
		;;
	probe) reply="--user --credentials --name --transport --tls --json rtsp:// rtsps:// http:// https:// rtmp:// v4l2:/dev/ file:/" ;;
	passwd) reply=--delete ;;
	link) reply="--hours --viewers --base $(_camctl_cameras)" ;;
	token) reply="--hours --camera" ;;
	revoke) reply="--all --rotate" ;;
	certificate) reply="--name --days --certificate --key" ;;
	support) reply="-o --output --config --credentials" ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$reply" -- "$cur")
}

complete -F _camctl camctl
