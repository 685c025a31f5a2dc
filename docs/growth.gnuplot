# gnuplot docs/growth.gnuplot: draws docs/growth.svg from the figures in docs/performance.md.
set terminal svg size 900,320 font "sans-serif,12" background "white"
set output "docs/growth.svg"
set multiplot layout 1,2
set logscale x
set yrange [0:1.4]
set ylabel "CPU seconds for 1,000 payments"
set key top left horizontal
set grid ytics lc rgb "#dddddd"
set xrange [8000:1300000]
set xlabel "payments in the ledger"
$ledger << END
10000 0.28 0.20 0.23 0.84
100000 0.28 0.20 0.23 0.85
300000 0.29 0.20 0.29 0.91
1000000 0.30 0.21 0.26 0.90
END
plot $ledger using 1:5 with linespoints lw 2 pt 7 title "all", \
     "" using 1:2 with linespoints lw 2 pt 7 title "connector", \
     "" using 1:4 with linespoints lw 2 pt 7 title "database", \
     "" using 1:3 with linespoints lw 2 pt 7 title "broker"
set xrange [8000:130000]
set xlabel "payments waiting"
$waiting << END
10000 0.18 0.42 0.23 0.83
30000 0.19 0.42 0.23 0.84
100000 0.21 0.44 0.24 0.89
END
plot $waiting using 1:5 with linespoints lw 2 pt 7 title "all", \
     "" using 1:3 with linespoints lw 2 pt 7 title "charging", \
     "" using 1:4 with linespoints lw 2 pt 7 title "confirming", \
     "" using 1:2 with linespoints lw 2 pt 7 title "accepting"
