# Makes "posternd@.service" of posternd.service, and so on: the same unit for one of several Postfix
# instances, %i, whose configuration is /etc/postern/%i.conf. Run by make.
1i\
# Made by make from the unit without the "@": for one of several Postfix instances, NAME, with the\
# configuration /etc/postern/NAME.conf. If its queue is not /var/spool/postfix-NAME, add it to\
# ReadWritePaths=.\
#
/^#/s/posternctl /posternctl -c \/etc\/postern\/NAME.conf /
/^# systemctl /s/$/@NAME/
/^Description=/s/$/ (%i)/
s/^\(Exec[A-Za-z]*=+\{0,1\}postern[a-z-]*\) /\1 -c \/etc\/postern\/%i.conf /
s/^ConditionPathExists=|\/etc\/postern\/postern.conf$/ConditionPathExists=\/etc\/postern\/%i.conf/
/^ConditionPathExists=|/d
/^ReadWritePaths=/s/-\/var\/spool\/postfix$/& -\/var\/spool\/postfix-%i/
