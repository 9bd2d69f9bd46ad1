complete -C /usr/bin/aws1_completer @NAME@
