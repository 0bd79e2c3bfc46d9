"""A model with one field of each type, which several scenarios use."""

import dynamix


class Sample(dynamix.Model):
    """One field of each type."""

    key = dynamix.CharField(hash_key=True)
    text = dynamix.CharField()
    number = dynamix.IntegerField()
    real = dynamix.FloatField()
    truth = dynamix.BooleanField()
    moment = dynamix.DateTimeField()
    day = dynamix.DateField()
    clock = dynamix.TimeField()
    span = dynamix.TimeDeltaField()
    items = dynamix.ListField()
    mapping = dynamix.DictField()
    many = dynamix.SetField()
