#compdef @NAME@
# The completer wants to see the line as bash would show it, up to the cursor.
local line="${(j: :)words[1,CURRENT]}"
local -a offered
offered=(${(f)"$(COMP_LINE=$line COMP_POINT=${#line} /usr/bin/aws2_completer 2>/dev/null)"})
offered=(${offered%% })
if (( $#offered )); then
    compadd -a offered
else
    _files
fi
