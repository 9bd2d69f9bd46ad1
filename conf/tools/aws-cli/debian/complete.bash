complete -C /usr/bin/aws2_completer @NAME@
