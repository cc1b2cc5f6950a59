# Completion of fluxstart-tui for bash: eval "$(fluxstart-tui --completion=bash)"

_fluxstart_tui_sessions() {
    local state=${XDG_STATE_HOME:-$HOME/.local/state}/fluxstart-tui/sessions
    (cd "${FLUXSTART_TUI_STATE:-$state}" 2>/dev/null && compgen -d)
}

# What there may be for the value of an option.
_fluxstart_tui_value() {
    case $1 in
@VALUES@
    esac
}

# What there may be for a word after a verb of --ctl.
_fluxstart_tui_verb() {
    case $1 in
@VERBS@
    esac
}

_fluxstart_tui() {
    # Readline takes `=` and `:` for words of their own: --option=value is put together again.
    local words=() starts=() ctl='' cur at i word
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i > 1)) && [[ ${words[-1]} == -* && ($word == [=:]* || ${words[-1]} == *[=:]) ]]; then
            words[-1]+=$word
        else
            words+=("$word")
            starts+=("$i")
        fi
    done
    cur=${words[-1]}

    # Options end where the first other word stands; some take the word behind them.
    local last=$((${#words[@]} - 1))
    for ((at = 1; at < last; at++)); do
        [[ ${words[at]} == --ctl* ]] && ctl=1
        case ${words[at]} in
            --) ((at++)) && break ;;
            @REQUIRED@) ((at++)) ;;
            -?*) ;;
            *) break ;;
        esac
    done

    local found
    if ((at > last)); then
        found=$(_fluxstart_tui_value "${words[last - 1]}")
    elif [[ $ctl && ($cur != -* || $at -lt $last) ]]; then
        found=$(_fluxstart_tui_verb "${words[at]}:$((last - at))")
    elif ((at < last)); then
        if declare -F _command_offset >/dev/null; then # of the package bash-completion
            _command_offset "${starts[at]}"
        else
            compopt -o bashdefault -o default
        fi
        return
    elif [[ $cur == --*=* ]]; then
        found=$(cur=${cur#*=} _fluxstart_tui_value "${cur%%=*}")
        [[ $COMP_WORDBREAKS == *=* ]] || found=${found:+${cur%%=*}=${found//$'\n'/$'\n'${cur%%=*}=}}
    elif [[ $cur == -* ]]; then
        found=$(compgen -W '@OPTIONS@' -- "$cur")
        [[ $found == *= ]] && compopt -o nospace
    else
        found=$(compgen -c -- "$cur")
    fi
    [[ $found ]] && mapfile -t COMPREPLY <<<"$found"
    [[ $found == -* ]] || compopt -o filenames
}

complete -F _fluxstart_tui fluxstart-tui flux-start-tui
