# Who was invited from outside sees the application that the invitation names, and of its opinions those of her own kind.
package carrel.access

relations contains "invited" if {
	not mine
	some i in input.subject.mandate.invitations
	i.application == input.object.id
}

relations contains "invited-kind" if {
	input.object.kind == "opinion"
	some i in input.subject.mandate.invitations
	i.application == input.object.id
	input.object.reviews == [i.review]
}
