# Who was invited from outside sees the application that the invitation names, and of its opinions those of her own kind.
package carrel.access

relations contains "invited" if {
	some i in input.subject.mandate.invitations
	i.application == input.object.id
	not mine
}

relations contains "invited-kind" if {
	some i in input.subject.mandate.invitations
	i.application == input.object.id
	input.object.kind == "opinion"
	input.object.reviews == [i.review]
}
