# Baton's start-up commands for fish (fish --init-command), run after the user's own configuration: marks prompts and commands
# (OSC 133) and reports the folder (OSC 7). fish 4 does both by itself.

if status is-interactive; and test (string split . -- $version)[1] -lt 4
    function __baton_folder --on-variable PWD
        printf '\e]7;file://%s%s\a' $hostname (string escape --style=url -- $PWD)
    end
    function __baton_preexec --on-event fish_preexec
        printf '\e]133;C\a'
    end
    function __baton_postexec --on-event fish_postexec
        printf '\e]133;D;%s\a' $status
    end
    function __baton_status
        return $argv[1]
    end
    functions --copy fish_prompt __baton_user_prompt
    function fish_prompt
        set -l code $status
        printf '\e]133;A\a'
        # The user's prompt must find the command's status.
        __baton_status $code
        __baton_user_prompt
        printf '\e]133;B\a'
    end
    __baton_folder
end
