#!/usr/bin/perl
# What the tests send: from inside a sandbox, and from the host to see that it can arrive at all.
# Needs perl-base alone. The first two try all at once and print a line for each target, in the order given:
#   tcp ADDRESS PORT ...        "open", "refused" or "silent"
#   icmp ADDRESS ...            "open", "refused" or "silent"
#   udp TEXT ADDRESS PORT ...   sends the text and asks for no answer
#   frames INTERFACE HEX ...    sends Ethernet frames as they are
use strict;
use warnings;
use Errno qw(EINPROGRESS);
use Socket qw(:DEFAULT getaddrinfo AI_NUMERICHOST);

use constant { PF_PACKET => 17, SIOCGIFINDEX => 0x8933, IPPROTO_ICMP => 1, ECHO_REPLY => 0, UNREACHABLE => 3, ECHO => 8 };
# Seconds to wait for an answer.
my $patience = $ENV{PATIENCE} // 0.6;

my $what = shift // '';
if    ($what eq 'tcp')    { print map { "$_\n" } tcp(@ARGV) }
elsif ($what eq 'icmp')   { print map { "$_\n" } icmp(@ARGV) }
elsif ($what eq 'udp')    { udp(@ARGV) }
elsif ($what eq 'frames') { frames(@ARGV) }
else                      { die "probe: tcp, icmp, udp or frames, not \"$what\"\n" }

sub socket_to {
    my ($address, $port, $type) = @_;
    my %how = (socktype => $type, flags => AI_NUMERICHOST);
    my ($error, $target) = getaddrinfo($address, $port, \%how);
    die "probe: $address: $error\n" if $error;
    socket(my $socket, $target->{family}, $type, 0) or die "probe: socket: $!\n";
    $socket->blocking(0);
    return ($socket, $target->{addr});
}

sub tcp {
    my @results;
    my %under_way;
    while (my ($address, $port) = splice @_, 0, 2) {
        my ($socket, $target) = socket_to($address, $port, SOCK_STREAM);
        push @results, 'silent';
        if    (connect $socket, $target) { $results[-1] = 'open' }
        elsif ($! == EINPROGRESS)        { $under_way{fileno $socket} = [$socket, \$results[-1]] }
        else                             { $results[-1] = 'refused' }
    }
    my $left = $patience;
    while (%under_way) {
        my $bits = '';
        vec($bits, $_, 1) = 1 for keys %under_way;
        (my $ready, $left) = select undef, $bits, undef, $left;
        last if $ready <= 0;
        for my $file (grep { vec $bits, $_, 1 } keys %under_way) {
            my ($socket, $result) = @{ delete $under_way{$file} };
            $$result = unpack('i', getsockopt $socket, SOL_SOCKET, SO_ERROR) ? 'refused' : 'open';
        }
    }
    return @results;
}

sub udp {
    my $text = shift;
    while (my ($address, $port) = splice @_, 0, 2) {
        my ($socket, $target) = socket_to($address, $port, SOCK_DGRAM);
        setsockopt $socket, SOL_SOCKET, SO_BROADCAST, 1;
        send $socket, $text, 0, $target;
    }
}

sub checksum {
    my $sum = unpack '%32n*', $_[0];
    $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
    return ~$sum & 0xffff;
}

sub icmp {
    my @addresses = @_;
    my @results = ('silent') x @addresses;
    my $id = $$ & 0xffff;
    socket(my $socket, PF_INET, SOCK_RAW, IPPROTO_ICMP) or die "probe: raw socket: $!\n";
    for my $i (0 .. $#addresses) {
        my @echo = (ECHO, 0, 0, $id, $i, 'berth-probe!');
        $echo[2] = checksum(pack 'CCnnna*', @echo);
        my $to = sockaddr_in(0, inet_aton($addresses[$i]));
        send $socket, pack('CCnnna*', @echo), 0, $to or $results[$i] = 'refused';
    }
    vec(my $bits = '', fileno $socket, 1) = 1;
    my $left = $patience;
    while (grep { $_ eq 'silent' } @results) {
        (my $ready, $left) = select my $readable = $bits, undef, undef, $left;
        last if $ready <= 0;
        recv $socket, my $packet, 2000, 0;
        my $type = unpack 'x20 C', $packet;
        # An error has the packet that it is about in it, after eight bytes of its own.
        my $at = $type == ECHO_REPLY ? 24 : $type == UNREACHABLE ? 52 : next;
        next if length $packet < $at + 4;
        my ($there, $i) = unpack 'nn', substr $packet, $at;
        $results[$i] = $type == ECHO_REPLY ? 'open' : 'refused' if $there == $id;
    }
    return @results;
}

sub frames {
    my ($interface, @frames) = @_;
    socket(my $socket, PF_PACKET, SOCK_RAW, 0) or die "probe: packet socket: $!\n";
    my $request = pack 'Z16 x16', $interface;
    ioctl $socket, SIOCGIFINDEX, $request or die "probe: $interface: $!\n";
    my $index = unpack 'x16 i', $request;
    for my $frame (map { pack 'H*', $_ } @frames) {
        # struct sockaddr_ll of packet(7)
        my $to = pack 'S n i S C C a8', PF_PACKET, 0, $index, 0, 0, 6, substr $frame, 0, 6;
        send $socket, $frame, 0, $to or die "probe: send: $!\n";
    }
}
