#!/usr/bin/perl
# SPDX-License-Identifier: MPL-2.0
# One call from Perl: ZMQ::FFI and Data::MessagePack as Debian has them, no Kiln library.
#
#     examples/perl_call.pl ipc:///run/kiln/kiln.sock
use strict;
use warnings;
use Data::MessagePack;
use ZMQ::FFI;
use ZMQ::FFI::Constants qw(ZMQ_DEALER);

my $mp      = Data::MessagePack->new->utf8;
my $context = ZMQ::FFI->new;    # kept: the socket does not outlive it
my $socket  = $context->socket(ZMQ_DEALER);
$socket->connect($ARGV[0]);
$socket->send_multipart([
    $mp->pack({op => 'call', fn => 'stats.describe'}),
    $mp->pack({x  => [103.1, 101.4, 104.9, 102.385, 107.7]}),
]);
my ($header, $result) = map { $mp->unpack($_) } $socket->recv_multipart;
die "$header->{status}: $header->{error}\n" if $header->{status} ne 'ok';
printf "mean %.6f std %.6f in %d us\n", $result->{mean}, $result->{std}, $header->{timing}{total_us};
$socket->close;
