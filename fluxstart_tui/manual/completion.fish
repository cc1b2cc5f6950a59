# Completion of fluxstart-tui for fish: fluxstart-tui --completion=fish | source

# Print the words behind the options: a command with its arguments, or a verb of --ctl with its own.
function __fluxstart_tui_rest
    set -l words (commandline -opc)[2..-1]
    while set -q words[1]
        switch $words[1]
            case --
                set -e words[1]
                break
            case @REQUIRED@
                set -e words[1] # its argument follows
            case '-?*'
            case '*'
                break
        end
        set -e words[1]
    end
    set -q words[1]; and printf '%s\n' $words
end

function __fluxstart_tui_in_options
    test -z "$(__fluxstart_tui_rest)"
end

function __fluxstart_tui_ctl
    string match -q -- '--ctl*' (commandline -opc)
end

# Whether a verb's word of this number is typed.
function __fluxstart_tui_word
    set -l words (__fluxstart_tui_rest)
    __fluxstart_tui_ctl; and test "$words[1]" = $argv[1] -a (count $words) = $argv[2]
end

function __fluxstart_tui_command
    set -l words (string escape -- (__fluxstart_tui_rest)) (commandline -ct)
    complete -C "$words"
end

function __fluxstart_tui_sessions
    set -l state $HOME/.local/state
    set -q XDG_STATE_HOME; and set state $XDG_STATE_HOME
    set -l sessions $state/fluxstart-tui/sessions
    set -q FLUXSTART_TUI_STATE; and set sessions $FLUXSTART_TUI_STATE
    path dirname $sessions/*/session.json | path basename
    __fish_complete_directories (commandline -ct | string replace -r '^--[^=]*=' '')
end

for program in fluxstart-tui flux-start-tui
    complete -c $program -f
    complete -c $program -n 'not __fluxstart_tui_ctl' -a '(__fluxstart_tui_command)'
    set -l option complete -c $program -n __fluxstart_tui_in_options
@OPTIONS@
    set -l verb complete -c $program -n '__fluxstart_tui_ctl; and __fluxstart_tui_in_options'
@HELP@
    set -l word complete -c $program
@VERBS@
end
