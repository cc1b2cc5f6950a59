#compdef fluxstart-tui flux-start-tui
# Completion of fluxstart-tui for zsh: a file _fluxstart-tui in a directory of $fpath,
# or eval "$(fluxstart-tui --completion=zsh)" after compinit

_fluxstart-tui_sessions() {
  local -a names
  names=(${FLUXSTART_TUI_STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/fluxstart-tui/sessions}/*/session.json(N:h:t))
  compadd -a names
}

# Offer words, and what there is of some kinds.
_fluxstart-tui_value() {
  local kind found=1
  (( $#1 )) && compadd -- ${=1} && found=0
  for kind in $@[2,-1]; do
    case $kind in
      command) _command_names -e && found=0 ;;
      directory) _files -/ && found=0 ;;
      file) _files && found=0 ;;
      session) _fluxstart-tui_sessions && found=0
        _files -/ && found=0 ;;
    esac
  done
  return found
}

# Complete what stands behind --ctl=TARGET.
_fluxstart-tui_verb() {
  local -a verbs
  verbs=(
@HELP@
  )
  if (( CURRENT == 1 )); then
    _describe -t verbs verb verbs
    return
  fi
  case $words[1]:$(( CURRENT - 1 )) in
@VERBS@
  esac
}

_fluxstart-tui() {
  local curcontext=$curcontext state state_descr line
  local -A opt_args
  _arguments -s -S -C -A '-*' \
@OPTIONS@
    '*:: :->rest' && return
  [[ $state == rest ]] || return 1
  if (( $+opt_args[--ctl] )); then
    _fluxstart-tui_verb
  else
    _normal
  fi
}

if [[ $funcstack[1] == _fluxstart-tui ]]; then
  _fluxstart-tui "$@"
else
  compdef _fluxstart-tui fluxstart-tui flux-start-tui
fi
